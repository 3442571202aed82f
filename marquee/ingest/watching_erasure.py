"""Erases what deleted profiles watched: history, resume positions, what analytics found. The event sink erases the lake.

Reads the erasures that deletions asked for (`lake_erasure`), and erases at once. An access token of before the deletion may write
again until it has expired, so each profile is erased once more after that, and only then noted as erased. A kill, or an engine
that is down, leaves the erasure open: the next round goes on. A profile that fails holds up no other.
`marquee analytics status` and `marquee doctor` show what is open.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.logs import get_logger
from marquee.stores.history.contract import WatchHistory
from marquee.stores.lake.contract import Erasure, Lake
from marquee.stores.resume_positions.contract import ResumePositions

CLOCKS: Final = timedelta(minutes=2)
"""What hosts' clocks may differ, and how long the last request of a token may take."""

log = get_logger()


async def erase_watching(
    lake: Lake, history: WatchHistory, resume_positions: ResumePositions, *, token_seconds: float
) -> int:
    """One round. `token_seconds`: the life of an access token. Returns how many profiles are erased for good by it.

    Raises what the first profile that failed has raised, after all others.
    """
    erased = 0
    failure: Exception | None = None
    for each in await lake.erasures():
        if not each.waits_for_watching:
            continue
        try:
            erased += await _erase(lake, history, resume_positions, each, token_seconds)
        except Exception as error:
            failure = failure or error
            log.warning("profile not erased", profile=each.profile_id, reason=str(error))
    if erased and not await lake.datasets():
        # There is no file to search. Events that are still on their way are left out by the sink.
        now = datetime.now(UTC)
        await lake.erased_through([each.profile_id for each in await lake.erasures() if each.waits_for_lake], now)
    if failure:
        raise failure
    return erased


async def _erase(
    lake: Lake, history: WatchHistory, resume_positions: ResumePositions, erasure: Erasure, token_seconds: float
) -> bool:
    """Returns whether the profile is erased for good."""
    if erasure.deleted_at is None:
        return False
    profile_id = erasure.profile_id
    # Read before the erasure: what is written after this moment would need a token that has expired.
    is_last = datetime.now(UTC) >= erasure.deleted_at + timedelta(seconds=token_seconds) + CLOCKS
    await resume_positions.erase(profile_id)
    titles = await history.erase(profile_id)
    found = await lake.delete_findings([profile_id])
    if is_last:
        await lake.watching_erased(profile_id)
    if is_last or titles or found:
        log.info("profile erased", profile=profile_id, titles=titles, findings=found, is_last=is_last)
    return is_last
