"""The sensor of analytics: who is told in Dagster when events, batches or marts are late.

It looks every two minutes and reports the checks of `assets.analytics.lateness` without a run: when a check changes, and once an
hour while it fails. Its cursor holds what it has said last.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import dagster as dg

from assets.analytics.lateness import CHECKED, verdict, watched
from marquee.domain.lateness import Watched
from marquee.errors import MarqueeError
from marquee.settings import Settings

SAY_AGAIN_SECONDS: Final = 3600.0


@dg.sensor(
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports what is late: events on their way to the lake, batches that viewers have, marts.",
)
def late_analytics(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
    try:
        found = asyncio.run(watched(settings))
    except (MarqueeError, TimeoutError) as error:
        return dg.SensorResult(
            skip_reason=dg.SkipReason(f"It is not known what is late: {error or 'no answer in time'}")
        )
    said: dict[str, Any] = json.loads(context.cursor or "{}")
    late = [one for one in found if one.is_late]
    reason = "; ".join(one.sentence for one in late) or "Nothing is late."
    return dg.SensorResult(
        skip_reason=dg.SkipReason(reason), asset_events=list(_news(found, said, time.time())), cursor=json.dumps(said)
    )


def _news(found: list[Watched], said: dict[str, Any], now: float) -> Iterator[dg.AssetCheckEvaluation]:
    """The evaluations that say something new; `said` is brought up to date."""
    for key in CHECKED:
        passed, reason, metadata = verdict(key, found)
        name = key.to_user_string()
        was_passed, said_at = said.get(name, (True, now))
        if passed and was_passed:
            continue
        if not passed and not was_passed and now - said_at < SAY_AGAIN_SECONDS:
            continue
        said[name] = (passed, now)
        yield dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            description=reason,
            metadata=metadata,
            severity=dg.AssetCheckSeverity.ERROR,
        )
