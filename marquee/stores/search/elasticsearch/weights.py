"""How much each typed word tells, from how many names have it: Elasticsearch has no cheap call that says so for one word.

The most common words are counted at once (30 ms for 156,097 titles) and kept for a minute; a word that is not among them is rare.
Counted anew in the background by the first search after that minute, so that only a process's very first search waits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from marquee.errors import StoreUnavailable
from marquee.stores.search.relevance.candidates import word_weight

FRESH_SECONDS: Final = 60.0


@dataclass(frozen=True)
class CommonWords:
    """How many of the titles have each of the most common words."""

    titles: int
    having: Mapping[str, int] = field(default_factory=dict)


class WordWeights:
    def __init__(self, count: Callable[[], Awaitable[CommonWords]]) -> None:
        self._count = count
        self._common: CommonWords | None = None
        self._counted_at = 0.0
        self._counting: asyncio.Task[None] | None = None

    async def of(self, typed: Sequence[str]) -> list[float]:
        """One weight a word. Raises `StoreUnavailable` where nothing has been counted yet."""
        if self._common is None:
            await self._refresh()
        elif time.monotonic() - self._counted_at > FRESH_SECONDS and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._refresh_quietly())
        assert self._common is not None
        return [word_weight(self._common.having.get(word, 0), self._common.titles) for word in typed]

    async def _refresh(self) -> None:
        self._common = await self._count()
        self._counted_at = time.monotonic()

    async def _refresh_quietly(self) -> None:
        try:
            await self._refresh()
        except StoreUnavailable:
            # The search that asked for this finds that out itself; the old counts serve until the next one.
            return

    def close(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
