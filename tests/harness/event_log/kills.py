"""A load on the event log while its server, or one node of its cluster after another, is killed."""

import asyncio
from collections import defaultdict
from typing import Protocol

from marquee.logs import get_logger
from marquee.stores.event_log import open_event_log

log = get_logger()


class Killable(Protocol):
    """A server, or a cluster of which one node is killed at a time."""

    async def start(self) -> None: ...

    def kill(self) -> None: ...


async def outlive(running: Killable, url: str, *, kills: int) -> None:
    """Publish and consume through `kills` of the server; fails where an acknowledged record does not come, or not in order."""
    event_log = open_event_log(url)
    await event_log.ensure_topic("t", streams=2)
    consumer = await event_log.subscribe("t", "g")
    acknowledged: set[int] = set()
    stop = asyncio.Event()
    grown = asyncio.Condition()

    async def more(count: int) -> None:
        enough = len(acknowledged) + count
        async with grown:
            await grown.wait_for(lambda: len(acknowledged) >= enough)

    async def load(writer: int) -> None:
        number = writer
        while not stop.is_set():
            await event_log.publish("t", f"w{writer}", str(number).encode())
            number += 4
            async with grown:
                acknowledged.add(number - 4)
                grown.notify_all()

    received: dict[str, list[int]] = defaultdict(list)

    async def consume() -> None:
        while not (stop.is_set() and acknowledged <= {n for found in received.values() for n in found}):
            records = await consumer.poll(timeout_seconds=0.5)
            for record in records:
                received[record.key].append(int(record.value))
            await consumer.acknowledge(records)

    async with asyncio.timeout(60 + 30 * kills), asyncio.TaskGroup() as tasks:
        writers = [tasks.create_task(load(writer)) for writer in range(4)]
        tasks.create_task(consume())
        for _ in range(kills):
            await more(200)
            running.kill()
            await running.start()
        await more(200)
        stop.set()
        await asyncio.gather(*writers)
    for found in received.values():
        firsts = list(dict.fromkeys(found))
        assert firsts == sorted(firsts), "a key's records came in another order than they were published"
    repeated = sum(len(found) - len(set(found)) for found in received.values())
    log.info("killed under load", kills=kills, acknowledged=len(acknowledged), lost=0, repeated=repeated)
    await consumer.close()
    await event_log.close()
