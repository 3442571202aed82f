"""Looks whether anything of analytics is late, for all that tell somebody: housekeeping's figures and log, Dagster's sensor,
`marquee analytics status`, `marquee doctor`.

The rule is `marquee.domain.lateness`. What it needs comes from PostgreSQL (the lake's list, the batches, the marts), from the
event log after the sink's place, and from the edges' folders of this host. No file of the lake is opened.
"""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.cdn.edge_log.files import edge_log_folders, load_so_far, segments
from marquee.domain.lateness import MARTS, Accepted, Arrivals, Watched, watched
from marquee.domain.volume import fewest_events
from marquee.platform.analytics_state import AnalyticsState, analytics_state
from marquee.settings import Settings
from marquee.stores.analytics.writing import BATCH_TABLES
from marquee.stores.lake import EVENTS, Lake, open_lake
from marquee.stores.warehouse import open_warehouse

ON_THE_WAY: Final = timedelta(minutes=10)
"""From a player to the lake, with what a phone holds back."""
PAST_DAYS: Final = 7


async def look(settings: Settings, state: AnalyticsState | None = None) -> list[Watched]:
    """Everything that is watched, late or not. `state`: where it is known already.

    Raises `StoreUnavailable` where PostgreSQL or the event log does not answer.
    """
    state = state or await analytics_state(settings)
    return list(watched(await arrivals(settings, state, datetime.now(UTC))))


async def arrivals(settings: Settings, state: AnalyticsState, now: datetime) -> Arrivals:
    hour = (now - ON_THE_WAY).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    lake, warehouse = open_lake(settings), open_warehouse(settings.database)
    try:
        rows = await rows_of_hour(lake, hour)
        past = [await rows_of_hour(lake, hour - timedelta(days=day)) for day in range(1, PAST_DAYS + 1)]
        through = {str(name): await warehouse.accepted_through(name) for name in BATCH_TABLES}
        # The day that a mart says is the last one with viewers. When it was built says whether the night's chain has run.
        through[MARTS] = max((build.built_at for build in state.marts.values()), default=None)
        accepted = {name: Accepted(seen, await lake.first_hour(EVENTS, seen)) for name, seen in through.items()}
    finally:
        await lake.close()
        await warehouse.close()
    return Arrivals(
        now,
        state.sink.lag_seconds,
        edge_lag_seconds(settings),
        rows,
        fewest_events(past),
        accepted,
        {batch.name: batch.reason or "" for batch in state.batches if batch.state == "refused"},
    )


async def rows_of_hour(lake: Lake, hour: datetime) -> int:
    """The events of an hour that are in the lake, by its list."""
    return sum(file.rows for file in await lake.live_files(EVENTS, hour, hour + timedelta(hours=1)))


def edge_lag_seconds(settings: Settings) -> float:
    """Age of the oldest file of this host's edges that has lines which nobody has published. 0: everything is published."""
    oldest = now = time.time()
    for folder in edge_log_folders(settings):
        so_far = load_so_far(folder)
        for segment in segments(folder):
            with contextlib.suppress(FileNotFoundError):
                status = segment.stat()
                if status.st_size > so_far.offsets.get(segment.name, 0):
                    oldest = min(oldest, status.st_mtime)
    return now - oldest
