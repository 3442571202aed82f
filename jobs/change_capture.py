"""`python -m jobs.change_capture`: changes of `title_document` go from PostgreSQL's WAL to `metadata-changes`.

Runs embedded Debezium (`marquee.stores.change_capture.debezium`) and publishes its envelopes, keyed by movie_id, in their order.
Debezium notes its place only after the event log has acknowledged them: a kill publishes some again, and none is lost. While
PostgreSQL or the event log is down, Debezium is started again and again, with jitter, from its place. Where the slot is gone or
invalidated (`max_slot_wal_keep_size` bounds it) the place is forgotten: a new slot begins with a snapshot of the whole table,
of which the index takes what is newer.
"""

import asyncio
import functools
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.concurrency import gather_bounded
from marquee.errors import StoreUnavailable
from marquee.events import METADATA_CHANGES
from marquee.logs import get_logger
from marquee.processes.repeating import until_answered
from marquee.processes.runner import Process, run_process
from marquee.processes.stopping import wait_for_stop
from marquee.stores.change_capture.debezium import CapturedChange, CaptureEngine, debezium_properties
from marquee.stores.change_capture.slot import SLOT, drop_slot_if_lost
from marquee.stores.event_log.contract import EventLog

MAX_CONCURRENT_TITLES: Final = 16
"""Records of different titles published at once; those of one title go one after the other."""
RESTART_SECONDS: Final = 0.5
MAX_RESTART_SECONDS: Final = 5.0
WELL_AFTER_SECONDS: Final = 30.0

log = get_logger()


async def publish_changes(event_log: EventLog, changes: Sequence[CapturedChange], stop: asyncio.Event) -> None:
    """Publish a batch, in order within a title; through any outage until `stop` is set."""
    by_title: dict[str, list[CapturedChange]] = {}
    for change in changes:
        by_title.setdefault(change.movie_id, []).append(change)

    async def publish(title: Sequence[CapturedChange]) -> None:
        for change in title:
            await until_answered(
                stop, functools.partial(event_log.publish, METADATA_CHANGES, change.movie_id, change.envelope)
            )

    await gather_bounded(publish, by_title.values(), max_concurrent=MAX_CONCURRENT_TITLES)
    log.debug("changes published", changes=len(changes))


async def settle_place(database_url: str, offsets: Path) -> None:
    """Forget the place noted where the slot that it belongs to is gone."""
    if await drop_slot_if_lost(database_url, SLOT) == "missing" and offsets.exists():
        log.warning("the slot is gone: a snapshot is taken", slot=SLOT)
        offsets.unlink()


async def run(process: Process) -> None:
    stop, database_url = process.stop, process.settings.database
    offsets = process.settings.state / "change-capture" / "offsets.dat"
    offsets.parent.mkdir(parents=True, exist_ok=True)
    delay = RESTART_SECONDS
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        try:
            await settle_place(database_url, offsets)
            await _run_engine(database_url, offsets, process.stores.event_log, stop)
        except (StoreUnavailable, RuntimeError, OSError) as error:
            log.warning("change capture interrupted", reason=str(error)[:500])
        if asyncio.get_running_loop().time() - started > WELL_AFTER_SECONDS:
            delay = RESTART_SECONDS
        await wait_for_stop(stop, delay * random.uniform(0.5, 1.0))  # noqa: S311
        delay = min(MAX_RESTART_SECONDS, delay * 2)


async def _run_engine(database_url: str, offsets: Path, event_log: EventLog, stop: asyncio.Event) -> None:
    """Until Debezium ends, by a failure or because it is closed when `stop` is set."""

    async def hand_over(changes: Sequence[CapturedChange]) -> None:
        await publish_changes(event_log, changes, stop)

    engine = CaptureEngine(debezium_properties(database_url, offsets), hand_over)
    running = asyncio.create_task(engine.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        await engine.close()
    await running


if __name__ == "__main__":
    # Not SystemExit: Java's threads that still wind down would hold the process. All that matters is on disk.
    os._exit(run_process("change-capture", run))
