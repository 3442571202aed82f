"""The weight of each typed word, from the number of titles whose names have it.

Elasticsearch has no cheap request for the frequency of one word. So the most common words are counted in one request (30 ms for
156,097 titles) and kept for COUNTS_TTL_SECONDS; a word that is not among them is rare. After that time the next search starts a
new count in the background. So only the first search of a process waits for a count.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from marquee import deadlines
from marquee.errors import StoreUnavailable
from marquee.stores.search.relevance.candidates import word_weight

COUNTS_TTL_SECONDS: Final = 60.0
"""How long counts are used before they are counted again."""


@dataclass(frozen=True)
class CommonWords:
    """The number of titles, and of those that have each of the most common words."""

    titles: int
    having: Mapping[str, int] = field(default_factory=dict)


class WordWeights:
    """Keeps the last counts of this process. `count` asks the engine for new ones."""

    def __init__(self, count: Callable[[], Awaitable[CommonWords]]) -> None:
        self._count = count
        self._common: CommonWords | None = None
        self._counted_at = 0.0
        self._counting: asyncio.Task[None] | None = None

    async def of(self, typed: Sequence[str]) -> list[float]:
        """One weight for each word. Raises `StoreUnavailable` if the first count fails."""
        if self._common is None:
            await self._refresh()
        elif time.monotonic() - self._counted_at > COUNTS_TTL_SECONDS and (
            self._counting is None or self._counting.done()
        ):
            self._counting = asyncio.create_task(self._refresh_quietly(), context=deadlines.detached())
        assert self._common is not None
        return [word_weight(self._common.having.get(word, 0), self._common.titles) for word in typed]

    async def _refresh(self) -> None:
        self._common = await self._count()
        self._counted_at = time.monotonic()

    async def _refresh_quietly(self) -> None:
        try:
            await self._refresh()
        except StoreUnavailable:
            # The search itself reports the outage. The old counts are used until the next search counts again.
            return

    def close(self) -> None:
        """Cancel a count in the background."""
        if self._counting is not None:
            self._counting.cancel()
