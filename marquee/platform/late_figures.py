"""Prometheus figures and log lines of what is late in analytics (`analytics_watch`). Housekeeping looks each minute.

Housekeeping and not the event sink: a sink that does not run says nothing of itself. Figures: port `housekeeping`, `/metrics`.
"""

import asyncio
import time
from typing import Final

from prometheus_client import Gauge

from marquee.domain.lateness import Watched
from marquee.logs import get_logger
from marquee.platform.analytics_watch import look
from marquee.settings import Settings

LOOK_SECONDS: Final = 120.0
SAY_AGAIN_SECONDS: Final = 3600.0
AGE: Final = Gauge(
    "marquee_analytics_age_seconds",
    "Age of the oldest event that waits for this part of analytics; 0: none waits",
    labelnames=("what",),
)
LATE: Final = Gauge("marquee_analytics_late", "1: this part of analytics is later than it may be", labelnames=("what",))
LOOKED_AT: Final = Gauge("marquee_analytics_looked_timestamp_seconds", "When housekeeping last looked what is late")

log = get_logger()


class LateWatch:
    """Remembers what it has said, so that a log has a line at the beginning, one an hour, and one at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._said_at: dict[str, float] = {}

    async def round(self) -> None:
        """Raises `StoreUnavailable` where PostgreSQL or the event log does not answer."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                found = await look(self._settings)
        except TimeoutError:
            log.warning("it is not known what of analytics is late: no answer in time", seconds=LOOK_SECONDS)
            return
        LOOKED_AT.set(time.time())
        for one in found:
            AGE.labels(one.name).set(one.age_seconds)
            LATE.labels(one.name).set(one.is_late)
            self._say(one)

    def _say(self, one: Watched) -> None:
        said_at = self._said_at.get(one.name)
        if not one.is_late:
            if said_at is not None:
                del self._said_at[one.name]
                # As loud as a warning: whoever read of the beginning reads of the end.
                log.warning("analytics are in time again", what=one.name)
        elif said_at is None or time.monotonic() - said_at > SAY_AGAIN_SECONDS:
            self._said_at[one.name] = time.monotonic()
            log.error("analytics are late", what=one.name, age_seconds=round(one.age_seconds), reason=one.sentence)
