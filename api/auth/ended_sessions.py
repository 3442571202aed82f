"""The sessions that ended lately, as this process knows them: their access tokens are refused before they expire.

A task reads them from PostgreSQL every `POLL_SECONDS`, with jitter. So a token stops at most `POLL_SECONDS` x 1.25, plus
one query, after its session ended, in every process. An id is kept until the session's last access token has expired.

If PostgreSQL does not answer, the process goes on with what it knows: tokens of a session that ended during the outage
work until they expire (`MARQUEE_ACCESS_TOKEN_SECONDS` at most). To refuse every token instead would turn each outage of
PostgreSQL into an outage of everything, also of what is served from caches. The gauge
`marquee_api_ended_sessions_read_timestamp_seconds` and a warning tell how old the list is.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from cachetools import TTLCache
from prometheus_client import Gauge

from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.sessions.contract import Sessions

POLL_SECONDS: Final = 10.0
JITTER: Final = 0.25
"""Part of `POLL_SECONDS` by which each pause is longer or shorter."""
READ_AGAIN_SECONDS: Final = 60.0
"""Each round also reads this far back. A transaction that ended a session is seen once it has committed, and its note
has an earlier time."""
TIMEOUT_SECONDS: Final = 10.0
OLD_SECONDS: Final = 45.0
"""Age of the list from which on each failed round is logged."""
MAX_IDS: Final = 500_000
"""Ids of ended sessions that a process keeps, about 100 MB."""

READ_AT = Gauge(
    "marquee_api_ended_sessions_read_timestamp_seconds",
    "When this process last read the sessions that ended, in Unix seconds.",
    multiprocess_mode="livemin",
)
log = get_logger()


class EndedSessions:
    """`id in ended` says whether a session ended. `token_seconds` is the life of an access token."""

    def __init__(self, sessions: Sessions, *, token_seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._kept_seconds = token_seconds + READ_AGAIN_SECONDS
        self._clock = clock
        self._ended: TTLCache[str, None] = TTLCache(MAX_IDS, self._kept_seconds, timer=clock)
        self._read_at: float | None = None
        self._started_at = clock()
        READ_AT.set_to_current_time()

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._ended

    @property
    def age_seconds(self) -> float:
        """Seconds since the last round that succeeded; before the first, since the start."""
        return self._clock() - (self._started_at if self._read_at is None else self._read_at)

    async def read(self) -> None:
        """One round: read what ended since the last one. Raises `StoreUnavailable`."""
        began = self._clock()
        back = self._kept_seconds if self._read_at is None else began - self._read_at + READ_AGAIN_SECONDS
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                ended = await self._sessions.ended_within(min(back, self._kept_seconds))
        except TimeoutError as error:
            raise StoreUnavailable(f"PostgreSQL did not list the ended sessions in {TIMEOUT_SECONDS:.0f} s.") from error
        for session_id in ended:
            self._ended[session_id] = None
        if len(self._ended) >= MAX_IDS:
            log.error("too many sessions ended: some of their access tokens work until they expire", kept=MAX_IDS)
        self._read_at = began
        READ_AT.set_to_current_time()

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """A block during which a task reads on. Its first round does not delay the start of the process."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                await self.read()
            except StoreUnavailable as error:
                if self.age_seconds > OLD_SECONDS:
                    log.warning("ended sessions are not read", age_seconds=round(self.age_seconds), reason=error.detail)
            except Exception as error:
                # The task must not end: without it ended sessions would go on unnoticed.
                log.error("ended sessions are not read", exc_info=error)
            await asyncio.sleep(POLL_SECONDS * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
