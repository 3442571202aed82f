"""`python -m tests.harness.holding_consumer URL TOPIC GROUP COUNT`: a consumer that a test stops or kills.

It receives COUNT records without an acknowledgement. At each line on its standard input it acknowledges them and receives more.
It prints a line for every record: its stream and position.
"""

import asyncio
import sys

from marquee.logs import configure_logging
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Record


async def main(url: str, topic: str, group: str, count: int) -> None:
    configure_logging("holding-consumer")  # on standard error: the lines on standard output are the test's
    log = open_event_log(url)
    consumer = await log.subscribe(topic, group)
    held: list[Record] = []

    async def take() -> None:
        for record in await consumer.poll(limit=count, timeout_seconds=0.5):
            held.append(record)
            sys.stdout.write(f"{record.stream} {record.position}\n")
            sys.stdout.flush()

    while len(held) < count:
        await take()
    await asyncio.to_thread(sys.stdin.readline)
    await consumer.acknowledge(held)
    sys.stdout.write("acknowledged\n")
    sys.stdout.flush()
    while True:
        await take()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
