"""Numbered records: published, polled, and whether they came in order."""

import time
from collections import defaultdict
from collections.abc import Sequence

from marquee.stores.event_log.contract import Consumer, EventLog, Record


async def gather(consumer: Consumer, count: int, *, seconds: float = 15.0, limit: int = 50) -> list[Record]:
    """Poll until `count` records came; they are not acknowledged."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count:
        assert time.monotonic() < deadline, f"only {len(records)} of {count} records came in {seconds} s"
        records += await consumer.poll(limit=limit, timeout_seconds=0.5)
    return records


async def publish(log: EventLog, topic: str, count: int, *, keys: int = 23) -> None:
    """Numbered records over so many keys, enough to reach every stream whatever the hash."""
    for number in range(count):
        await log.publish(topic, f"k{number % keys}", str(number).encode())


def in_order_by_key(records: Sequence[Record]) -> bool:
    numbers: dict[str, list[int]] = defaultdict(list)
    for record in records:
        numbers[record.key].append(int(record.value))
    return all(found == sorted(found) for found in numbers.values())
