"""Erasure: the rows of one profile leave the lake and what analytics found, on request.

`ask_erasure` comes first: from then on the sink writes no row of the profile, also of events that were on their way. Then every
live file of every dataset that names the profile is rewritten without its rows. The old files are deleted after
MARQUEE_LAKE_RETIRED_SECONDS, because a reader may still have them. An erasure is kept for `KEPT`: each round looks at the files
that are younger than the last one, so that a Spark job which read the old files brings nothing back. A damaged or missing file
does not hold up the others, and the caller is told its path. The erasure stays open until that file is restored or retired:
`Rounds` looks again and again, `marquee doctor` tells of it.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from marquee.domain.ids import is_profile_id, made_at_ms
from marquee.errors import ObjectMissing
from marquee.ingest.lake import figures
from marquee.ingest.lake.batch import without_profiles
from marquee.ingest.lake.rewriting import has_any, rewrite
from marquee.logs import get_logger
from marquee.stores.lake.contract import Erasure, Lake, LakeFile
from marquee.stores.lake.errors import LakeFileRetired, LakeFileUnreadable

KEPT: Final = timedelta(days=90)
"""Longer than the event log and its dead letters keep an event."""
CLOCKS: Final = timedelta(hours=1)
"""By how much two hosts' clocks may differ, and how long a commit may take."""
MAX_ROUNDS: Final = 20

EVER: Final = datetime.min.replace(tzinfo=UTC)

log = get_logger()


class Erased(NamedTuple):
    """`rows`: how many rows of files were removed. `unreadable`: live files, damaged or missing, that were not searched."""

    rows: int
    unreadable: tuple[str, ...] = ()


class Rounds:
    """The erasures of one process, round after round.

    After a round that met damaged files, the erasures that it tried wait for `recheck_seconds`. So a damaged file does not have
    the whole lake searched every few seconds. Erasures that are asked for meanwhile do not wait.
    """

    def __init__(self, lake: Lake, state: Path, *, recheck_seconds: float) -> None:
        self._lake = lake
        self._state = state
        self._recheck_seconds = recheck_seconds
        self._held: frozenset[str] = frozenset()
        self._again_at = 0.0

    async def round(self) -> Erased:
        if time.monotonic() >= self._again_at:
            self._held = frozenset()
        asked = (await self._lake.erased()).profile_ids
        erased = await erase_asked(self._lake, self._state, recheck_seconds=self._recheck_seconds, held=self._held)
        if erased.unreadable:
            if not self._held:
                self._again_at = time.monotonic() + self._recheck_seconds
            self._held |= asked
        return erased


async def erase_asked(
    lake: Lake,
    state: Path,
    *,
    recheck_seconds: float = 0,
    search_all: bool = False,
    held: frozenset[str] = frozenset(),
) -> Erased:
    """Remove the rows of every profile whose erasure was asked for. May be repeated.

    If all are finished, new files are looked at only `recheck_seconds` after the last time. With `search_all` every live file
    is searched, whatever an earlier round has found. `held`: profiles for which no file is searched now.
    """
    erasures = await lake.erasures()
    due = [each for each in erasures if search_all or each.profile_id not in held]
    settled = datetime.now(UTC) - timedelta(seconds=recheck_seconds)
    if not search_all and all(each.scanned_at is not None and each.scanned_at > settled for each in due):
        return Erased(0)
    profiles = {each.profile_id for each in erasures}
    since = EVER if search_all else min(_unsearched_since(each) for each in due)
    removed = 0
    unreadable: tuple[str, ...] = ()
    for _ in range(MAX_ROUNDS):
        began = datetime.now(UTC)
        gone, is_whole, unreadable = await _scan(lake, state, frozenset(profiles), since)
        removed += gone
        await lake.delete_findings(profiles)
        if is_whole:
            if not unreadable:
                await lake.erased_through([each.profile_id for each in due], began)
            break
    if removed:
        figures.ERASED_ROWS.inc(removed)
        log.info("profiles erased", rows=removed)
    return Erased(removed, unreadable)


async def forget_finished(lake: Lake) -> int:
    """Forget erasures whose profiles no event can name any more."""
    return await lake.forget_erasures(datetime.now(UTC) - KEPT)


def _unsearched_since(erasure: Erasure) -> datetime:
    """Files that were made before have no row of the profile any more, or never had one.

    No event names a profile before it exists, so the deletion of a new profile does not have the whole lake searched.
    """
    if erasure.scanned_at is not None:
        return erasure.scanned_at
    if erasure.deleted_at is None or not is_profile_id(erasure.profile_id):
        return EVER  # an operator may name any id
    made_at = made_at_ms(erasure.profile_id) / 1000
    return datetime.fromtimestamp(made_at, UTC) if made_at <= erasure.deleted_at.timestamp() else EVER


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
            if since > EVER and file.created_at < since - CLOCKS:
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
