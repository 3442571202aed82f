"""What `marquee analytics status` says: how far the lake is, what stands in it, and which batches were found and judged.

Reads the lake's list, the event log after the sink's place, the batches' list and the marts' builds. Imports nothing of the
extra `analytics`: it answers also where that is missing.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.analytics_extra import missing_packages
from marquee.events import VIEWING_EVENTS
from marquee.ingest.lost_events import load_lost
from marquee.settings import Settings
from marquee.stores.analytics import open_findings_writer
from marquee.stores.analytics.writing import BATCH_TABLES, Batch
from marquee.stores.event_log import open_event_log
from marquee.stores.lake import Lake, open_lake
from marquee.stores.warehouse import open_warehouse
from marquee.stores.warehouse.contract import MARTS, MartBuild

LATE_ERASURE: Final = timedelta(hours=1)


@dataclass(frozen=True)
class DatasetState:
    """The live files of one dataset. `first` and `last`: hours of its oldest and newest partition."""

    name: str
    files: int
    rows: int
    size_bytes: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class SinkState:
    """`written_at`: the sink's last commit or sign of life; None: it has never run.

    `lag_seconds`: age of the oldest event that is on the event log and not in the lake; 0 without one.
    """

    written_at: datetime | None
    lag_seconds: float


@dataclass(frozen=True)
class AnalyticsState:
    """`batches`: the newest of each name, in any state. `marts`: those that people read, by name.

    `lost`: viewing events that housekeeping of this host has dropped unwritten.
    """

    sink: SinkState
    datasets: Sequence[DatasetState]
    batches: Sequence[Batch]
    marts: Mapping[str, MartBuild]
    open_erasures: int
    lost: int
    missing_packages: Sequence[str]
    late_erasures: int = 0
    """Open ones that somebody must look at: an hour after everything could have been done."""


async def analytics_state(settings: Settings) -> AnalyticsState:
    """Raises `StoreUnavailable` where PostgreSQL or the event log does not answer."""
    lake = open_lake(settings)
    try:
        position = await lake.position(VIEWING_EVENTS)
        lag = await _lag_seconds(settings, position.cursor if position else None)
        sink = SinkState(position.written_at if position else None, lag)
        datasets = [state for name in ("events", "sessions") if (state := await _dataset(lake, name))]
        erasures = [each for each in await lake.erasures() if each.waits_for_lake or each.waits_for_watching]
        late = timedelta(seconds=settings.access_token_seconds) + LATE_ERASURE
        overdue = sum(datetime.now(UTC) - (each.deleted_at or each.asked_at) > late for each in erasures)
    finally:
        await lake.close()
    return AnalyticsState(
        sink,
        datasets,
        await _newest_batches(settings),
        await _marts(settings),
        len(erasures),
        load_lost(settings.state).records,
        missing_packages(),
        overdue,
    )


async def _marts(settings: Settings) -> dict[str, MartBuild]:
    warehouse = open_warehouse(settings.database)
    try:
        return await warehouse.builds(MARTS)
    finally:
        await warehouse.close()


async def _newest_batches(settings: Settings) -> list[Batch]:
    findings = open_findings_writer(settings.database)
    try:
        return [batch for name in BATCH_TABLES if (batch := await findings.latest(name))]
    finally:
        await findings.close()


async def _lag_seconds(settings: Settings, cursor: str | None) -> float:
    log = open_event_log(settings.event_log)
    try:
        records, _ = await log.read(VIEWING_EVENTS, cursor, limit=1)
    finally:
        await log.close()
    return max(0.0, time.time() - records[0].published_at_ms / 1000) if records else 0.0


async def _dataset(lake: Lake, name: str) -> DatasetState | None:
    files = await lake.live_files(name)
    if not files:
        return None
    rows, size_bytes = sum(file.rows for file in files), sum(file.size_bytes for file in files)
    return DatasetState(name, len(files), rows, size_bytes, files[0].hour, files[-1].hour)
