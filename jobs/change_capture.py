"""`python -m jobs.change_capture`: changes of `title_document` go from PostgreSQL's WAL to `metadata-changes`.

Runs embedded Debezium (`marquee.stores.change_capture.debezium`), publishes its envelopes keyed by movie_id in their
order, and lets it note its place only after the event log acknowledged them: a kill publishes some again, and none is lost.
PostgreSQL or the event log down: Debezium is started again with jitter, from where it was. The slot gone or invalidated (it
is bounded by `max_slot_wal_keep_size`): the place is forgotten, and a new slot begins with a snapshot of the
whole table, which the index takes as far as it is newer.
"""

import asyncio
import functools
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.concurrency import gather_bounded
from marquee.errors import SettingsInvalid, StoreUnavailable
from marquee.events import METADATA_CHANGES
from marquee.logs import configure_logging, get_logger
from marquee.processes.hints import wait_for_stop
from marquee.processes.running import stop_on_signals, until_answered
from marquee.settings import Settings, load_settings
from marquee.stores.change_capture.debezium import Captured, CaptureEngine, debezium_properties
from marquee.stores.change_capture.slot import SLOT, settle_slot
from marquee.stores.event_log.contract import EventLog
from marquee.stores.opened import open_stores

MAX_CONCURRENT_TITLES: Final = 16
"""Records of different titles published at once; those of one title go one after the other."""
RESTART_SECONDS: Final = 0.5
MAX_RESTART_SECONDS: Final = 5.0
WELL_AFTER_SECONDS: Final = 30.0

log = get_logger()


async def publish_changes(event_log: EventLog, changes: Sequence[Captured], stop: asyncio.Event) -> None:
    """Publish a batch, in order within a title; through any outage until `stop` is set."""
    by_title: dict[str, list[Captured]] = {}
    for change in changes:
        by_title.setdefault(change.movie_id, []).append(change)

    async def publish(title: Sequence[Captured]) -> None:
        for change in title:
            await until_answered(
                stop, functools.partial(event_log.publish, METADATA_CHANGES, change.movie_id, change.envelope)
            )

    await gather_bounded(publish, by_title.values(), max_concurrent=MAX_CONCURRENT_TITLES)
    log.debug("changes published", changes=len(changes))


async def settle_place(database_url: str, offsets: Path) -> None:
    """Forget the place noted where the slot that it belongs to is gone."""
    if await settle_slot(database_url, SLOT) == "missing" and offsets.exists():
        log.warning("the slot is gone: a snapshot is taken", slot=SLOT)
        offsets.unlink()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Until `stop` is set."""
    offsets = settings.state / "change-capture" / "offsets.dat"
    offsets.parent.mkdir(parents=True, exist_ok=True)
    delay = RESTART_SECONDS
    async with open_stores(settings) as stores:
        event_log = stores.event_log
        while not stop.is_set():
            started = asyncio.get_running_loop().time()
            try:
                await settle_place(settings.database, offsets)
                await _run_engine(settings.database, offsets, event_log, stop)
            except (StoreUnavailable, RuntimeError, OSError) as error:
                log.warning("change capture interrupted", reason=str(error)[:500])
            if asyncio.get_running_loop().time() - started > WELL_AFTER_SECONDS:
                delay = RESTART_SECONDS
            await wait_for_stop(stop, delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(MAX_RESTART_SECONDS, delay * 2)


async def _run_engine(database_url: str, offsets: Path, event_log: EventLog, stop: asyncio.Event) -> None:
    async def hand_over(changes: Sequence[Captured]) -> None:
        await publish_changes(event_log, changes, stop)

    engine = CaptureEngine(debezium_properties(database_url, offsets), hand_over)
    running = asyncio.create_task(engine.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        await engine.close()
    await running


async def main() -> None:
    configure_logging("change-capture")
    try:
        await run(load_settings(), stop_on_signals())
    except (SettingsInvalid, StoreUnavailable) as error:
        log.error("change capture failed", reason=error.detail)
        raise SystemExit(1) from error
    log.info("change capture stopped")


if __name__ == "__main__":
    asyncio.run(main())
    # Java's threads that still wind down would hold the process; all that matters is on disk.
    os._exit(0)
