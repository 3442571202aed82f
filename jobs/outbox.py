"""`python -m jobs.outbox`: what the catalogue committed to publish is published to the event log.

Reads the outbox every 0.25 s, publishes each entry to its topic, oldest first, and then deletes it. A kill in between publishes
the entry again: readers know it by its upload. Everything else that has to be put in order later is `jobs.housekeeping`'s.
"""

from typing import Final

from marquee.logs import get_logger
from marquee.processes.repeating import every
from marquee.processes.runner import Process, run_process
from marquee.stores.catalogue.contract import Outbox
from marquee.stores.event_log.contract import EventLog

PUBLISH_SECONDS: Final = 0.25

log = get_logger()


async def publish_outbox(outbox: Outbox, event_log: EventLog) -> int:
    """Publish what waits, oldest first. Returns how many entries went out."""
    published = 0
    while entries := await outbox.oldest(limit=100):
        for entry in entries:
            await event_log.publish(entry.topic, entry.key, entry.value)
            await outbox.mark_published([entry.entry_id])
        published += len(entries)
    if published:
        log.info("outbox published", entries=published)
    return published


async def run(process: Process) -> None:
    stores = process.stores
    await process.ready(stores.catalogue)
    await every(PUBLISH_SECONDS, process.stop, lambda: publish_outbox(stores.catalogue.outbox, stores.event_log))


if __name__ == "__main__":
    raise SystemExit(run_process("outbox", run))
