"""What the API itself tells of viewing: streams that start, searches. No request waits for that, or fails by it.

Events wait in a bounded queue of this process, and a task publishes them in batches. While the event log is down, events past
MAX_WAITING are dropped. A batch that fails for any other reason is dropped too, and the next one goes on. Who is told: `/metrics`
counts the lost events, and the log has a line: one a minute in an outage, one for each batch that failed. At the end of the
process what waits is published, for at most FLUSH_SECONDS. A process that is killed loses what waits: milliseconds of it, while
the event log answers.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import msgspec
import tenacity
from prometheus_client import Counter

from marquee.errors import StoreUnavailable
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.logs import get_logger
from marquee.stores.event_log.contract import EventLog

MAX_WAITING: Final = 10_000
"""About 5 MB."""
BATCH: Final = 200
FLUSH_SECONDS: Final = 3.0
LOG_SECONDS: Final = 60.0

PUBLISHED: Final = Counter("marquee_api_server_events_published", "The API's own viewing events on the event log.")
DROPPED: Final = Counter(
    "marquee_api_server_events_dropped", "The API's own viewing events that were lost: the event log did not take them."
)

log = get_logger()


class ServerEvents:
    """`tell` from anywhere in the loop, inside the block of `published`."""

    def __init__(self, event_log: EventLog) -> None:
        self._event_log = event_log
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._is_waiting = asyncio.Event()
        self._dropped = 0
        self._logged_at = -LOG_SECONDS

    def tell(self, key: str, event: ViewingEvent) -> None:
        """Publish the event soon, in the order of its key. Never raises, never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self._drop(1)
            return
        self._waiting.append((key, msgspec.json.encode(event)))
        self._is_waiting.set()

    @contextlib.asynccontextmanager
    async def published(self) -> AsyncIterator[None]:
        """Publish what is told while the block runs, and at its end what still waits."""
        publishing = asyncio.create_task(self._publish_all(), name="server-events")
        publishing.add_done_callback(_log_end)
        try:
            yield
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            with contextlib.suppress(TimeoutError, StoreUnavailable):
                async with asyncio.timeout(FLUSH_SECONDS):
                    while self._waiting:
                        await self._publish_or_drop()
            if self._waiting:
                self._drop(len(self._waiting), at_once=True)

    async def _publish_all(self) -> None:
        while True:
            await self._is_waiting.wait()
            self._is_waiting.clear()
            while self._waiting:
                # Without an end: the queue is bounded, and the event log comes back.
                retrying = tenacity.AsyncRetrying(
                    retry=tenacity.retry_if_exception_type(StoreUnavailable),
                    wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
                )
                await retrying(self._publish_or_drop)

    async def _publish_or_drop(self) -> None:
        """Publish one batch. What fails otherwise than by an outage would fail again: drop it. Raises `StoreUnavailable`."""
        try:
            await self._publish_batch()
        except StoreUnavailable:
            raise
        except Exception:
            count = min(BATCH, len(self._waiting))
            log.exception("viewing events of this process are lost: they could not be published", events=count)
            for _ in range(count):
                self._waiting.popleft()
            DROPPED.inc(count)

    async def _publish_batch(self) -> None:
        batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
        await self._event_log.publish_many(VIEWING_EVENTS, batch)
        for _ in batch:
            self._waiting.popleft()
        PUBLISHED.inc(len(batch))

    def _drop(self, count: int, *, at_once: bool = False) -> None:
        DROPPED.inc(count)
        self._dropped += count
        now = time.monotonic()
        if at_once or now - self._logged_at >= LOG_SECONDS:
            log.warning("viewing events of this process are lost: the event log takes none", events=self._dropped)
            self._logged_at, self._dropped = now, 0


def _log_end(publishing: "asyncio.Task[None]") -> None:
    """The task goes on for ever: where it ends by itself, nothing is published any more until the process ends."""
    if not publishing.cancelled():
        log.error("the API's own viewing events are not published any more", exc_info=publishing.exception())
