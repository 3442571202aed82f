"""Check `arrives_in_time` of the lake's events, `is_in_time` of the batches and the marts: what is late, and what to do.

They hold nothing back. A person may run them; the sensor `late_analytics` reports them without a run when a state changes
(`orchestration.analytics_sensors`), so that an asset is red in Dagster within some minutes after it became late.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from assets.analytics.marts import LAST, mart_key
from marquee.domain.lateness import MARTS, Watched
from marquee.platform.analytics_watch import look
from marquee.settings import Settings

LOOK_SECONDS: Final = 120.0
CHECKED: Final[Mapping[dg.AssetCheckKey, tuple[str, ...]]] = {
    dg.AssetCheckKey(dg.AssetKey("event_hour"), "arrives_in_time"): ("event-sink", "edge-logs", "events"),
    dg.AssetCheckKey(dg.AssetKey("accepted_popularity"), "is_in_time"): ("popularity",),
    dg.AssetCheckKey(dg.AssetKey("accepted_taste"), "is_in_time"): ("similar", "suggestions"),
    dg.AssetCheckKey(dg.AssetKey("accepted_candidates"), "is_in_time"): ("candidates",),
    dg.AssetCheckKey(mart_key(LAST), "is_in_time"): (MARTS,),
}
"""Check -> what it watches (`Watched.name`)."""


async def watched(settings: Settings) -> list[Watched]:
    """Raises `StoreUnavailable`, and TimeoutError after `LOOK_SECONDS`."""
    async with asyncio.timeout(LOOK_SECONDS):
        return await look(settings)


def verdict(key: dg.AssetCheckKey, found: Sequence[Watched]) -> tuple[bool, str | None, dict[str, float]]:
    """Whether the check passes, why not, and its metadata."""
    mine = [one for one in found if one.name in CHECKED[key]]
    reasons = [one.sentence for one in mine if one.is_late]
    return not reasons, " ".join(reasons) or None, {f"{one.name} seconds": round(one.age_seconds) for one in mine}


def _check(key: dg.AssetCheckKey) -> dg.AssetChecksDefinition:
    description = f"None of {', '.join(CHECKED[key])} is later than it may be."

    @dg.asset_check(asset=key.asset_key, name=key.name, description=description)
    def check(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        passed, reason, metadata = verdict(key, asyncio.run(watched(settings)))
        return dg.AssetCheckResult(passed=passed, description=reason, metadata=metadata)

    return check


arrives_in_time, popularity_is_in_time, taste_is_in_time, candidates_are_in_time, marts_are_in_time = (
    _check(key) for key in CHECKED
)
