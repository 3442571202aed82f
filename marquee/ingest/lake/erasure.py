"""Erasure: the rows of one profile leave the lake and what analytics found, on request.

`ask_erasure` comes first: from then on the sink writes no row of the profile, also of events that were on their way. Then every
live file of every dataset that names the profile is rewritten without its rows. The old files are deleted after
MARQUEE_LAKE_RETIRED_SECONDS, because a reader may still have them. An erasure is kept for `KEPT`: each round looks at the files
that are younger than the last one, so that a Spark job which read the old files brings nothing back. A damaged or missing file
holds up nothing: all others are rewritten, and the caller is told its path. Once it is restored or retired, ask for the erasure
again.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from marquee.errors import ObjectMissing
from marquee.ingest.lake import figures
from marquee.ingest.lake.batch import without_profiles
from marquee.ingest.lake.rewriting import has_any, rewrite
from marquee.logs import get_logger
from marquee.stores.lake.contract import Lake, LakeFile
from marquee.stores.lake.errors import LakeFileRetired, LakeFileUnreadable

KEPT: Final = timedelta(days=90)
"""Longer than the event log and its dead letters keep an event."""
CLOCKS: Final = timedelta(hours=1)
"""By how much two hosts' clocks may differ, and how long a commit may take."""
MAX_ROUNDS: Final = 20

log = get_logger()


class Erased(NamedTuple):
    """`rows`: how many rows of files were removed. `unreadable`: live files, damaged or missing, that were not searched."""

    rows: int
    unreadable: tuple[str, ...] = ()


async def erase_asked(lake: Lake, state: Path, *, recheck_seconds: float = 0, search_all: bool = False) -> Erased:
    """Remove the rows of every profile whose erasure was asked for. May be repeated.

    If all are finished, new files are looked at only `recheck_seconds` after the last time. With `search_all` every live file
    is searched, whatever an earlier round has found: damaged files are then told again.
    """
    erasures = await lake.erasures()
    settled = datetime.now(UTC) - timedelta(seconds=recheck_seconds)
    if not search_all and all(each.scanned_at is not None and each.scanned_at > settled for each in erasures):
        return Erased(0)
    profiles = {each.profile_id for each in erasures}
    first = datetime.min.replace(tzinfo=UTC)
    since = first if search_all else min((each.scanned_at or first for each in erasures), default=settled)
    removed = 0
    unreadable: tuple[str, ...] = ()
    for _ in range(MAX_ROUNDS):
        began = datetime.now(UTC)
        gone, is_whole, unreadable = await _scan(lake, state, frozenset(profiles), since)
        removed += gone
        await lake.delete_findings(profiles)
        if is_whole:
            await lake.erased_through(profiles, began)
            break
    if removed:
        figures.ERASED_ROWS.inc(removed)
        log.info("profiles erased", rows=removed)
    return Erased(removed, unreadable)


async def forget_finished(lake: Lake) -> int:
    """Forget erasures whose profiles no event can name any more."""
    return await lake.forget_erasures(datetime.now(UTC) - KEPT)


async def _is_live(lake: Lake, file: LakeFile) -> bool:
    """Whether the list still names a file. A file that is named and not there was removed by a person, or a disk lost it."""
    return any(file.path == each.path for each in await lake.live_files(file.dataset))


async def _scan(
    lake: Lake, state: Path, profiles: frozenset[str], since: datetime
) -> tuple[int, bool, tuple[str, ...]]:
    """Rewrite the files that are younger than `since`.

    Returns how many rows were removed, whether no other change came in between, and the paths of damaged files.
    """
    removed, is_whole = 0, True
    unreadable: list[str] = []
    for dataset in await lake.datasets():
        for file in await lake.live_files(dataset):
            if since > datetime.min.replace(tzinfo=UTC) and file.created_at < since - CLOCKS:
                continue
            try:
                if await has_any(lake, state, file, profiles):
                    new = await rewrite(lake, state, [file], lambda table: without_profiles(table, profiles))
                    removed += file.rows - (new.rows if new else 0)
            except LakeFileRetired:
                is_whole = False  # another change replaced the file: what replaced it is looked at in the next round
            except (LakeFileUnreadable, ObjectMissing) as error:
                if isinstance(error, ObjectMissing) and not await _is_live(lake, file):
                    is_whole = False
                    continue
                unreadable.append(file.path)
                log.error("file not searched for erased profiles", path=file.path, reason=error.detail)
    return removed, is_whole, tuple(unreadable)
