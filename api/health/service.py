"""Readiness: asks every store at once, each within `PING_SECONDS`, and names the stores that do not answer.

Anybody may ask. So callers at the same moment share one round of questions: a flood holds one connection to each store.

The API is not ready if requests would fail: PostgreSQL, resume positions, search and S3 must answer. The row cache and
the locks (`OPTIONAL_STORES`) may be down, because the API serves without them; they are named but do not count. `rows` is
ready once this process has read a whole home page (`api.warm_up`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from api.health.schemas import Readiness
from api.rows.single_flight import SingleFlight
from marquee.errors import StoreUnavailable

PING_SECONDS: Final = 2.0
"""Less than a request's time: the answer must say which store is down."""
OPTIONAL_STORES: Final = frozenset(("row_cache", "coordination"))


class HealthService:
    """`pings` is one call for each store; a call raises `StoreUnavailable` if the store is down."""

    def __init__(self, pings: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._pings = pings
        self._rounds: SingleFlight[Readiness] = SingleFlight("readiness")

    async def readiness(self) -> Readiness:
        """The state of every store, by name: `ready`, or why not. It may be that of a round which has begun already."""
        return await self._rounds.join("all stores", self._ask_all)

    async def _ask_all(self) -> Readiness:
        names = list(self._pings)
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        stores = dict(zip(names, answers, strict=True))
        ready = all(answer == "ready" for name, answer in stores.items() if name not in OPTIONAL_STORES)
        return Readiness(ready=ready, stores=stores)

    async def _ask(self, name: str) -> str:
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._pings[name]()
        except StoreUnavailable as error:
            return error.detail
        except TimeoutError:
            return f"did not answer within {PING_SECONDS:.0f} s"
        return "ready"
