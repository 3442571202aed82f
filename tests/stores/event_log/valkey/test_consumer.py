"""A consumer of a Valkey group: what was left unacknowledged comes before what is new, whatever became of some entries."""

import secrets

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.valkey.log import ValkeyEventLog
from marquee.stores.event_log.valkey.records import stream_key
from tests.harness.event_log.records import gather, in_order_by_key


async def test_entries_removed_by_hand_do_not_let_new_records_come_before_what_was_left(valkey_log_url: str) -> None:
    log = open_event_log(valkey_log_url)
    assert isinstance(log, ValkeyEventLog)
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=2)
    keys: dict[int, str] = {}
    count = 0
    while len(keys) < 2:
        keys.setdefault((await log.publish(topic, str(count), b"0")).stream, str(count))
        count += 1
    left = await log.subscribe(topic, "g")
    for number in range(1, 4):
        for key in keys.values():
            await log.publish(topic, key, str(number).encode())
    held = await gather(left, count + 6)
    await left.close()
    for key in keys.values():
        await log.publish(topic, key, b"9")
    removed = [record for record in held if record.stream == 1]
    await log._client.xdel(stream_key(topic, 1), *(record.position for record in removed))
    second = await log.subscribe(topic, "g")
    again = await gather(second, len(held) - len(removed) + 2, limit=len(removed))
    assert in_order_by_key(again), "a new record came before those left unacknowledged"
    await second.acknowledge(again)
    assert await log.lag(topic, "g") == 0
    await log.close()
