"""How many parts of an upload are sent at once: as many as the line carries at a good pace each, never more than a bound.

S3's proxy ends a part that is slower than MARQUEE_UPLOAD_MIN_BYTES_PER_SECOND. Three parts at once share the line, so on a slow
one all three would end, be sent again, and end again. An upload therefore starts with one part. Each part that was sent says
how fast the line is; a part that was ended as too slow leaves one lane.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

LANE_BYTES_PER_SECOND: Final = 256 * 1024
"""What the line has to carry for each part at once: eight times the minimum of S3's proxy by default."""


class Lanes:
    """Lets at most `most` parts through at once, at first one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = 1
        self._running = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A block that sends one part, when there is room for it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._running < self._limit)
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            async with self._changed:
                self._changed.notify_all()

    def sent(self, size_bytes: int, seconds: float) -> None:
        """Called inside the block: a part of this size took so long."""
        line = size_bytes * self._running / max(seconds, 0.001)
        self._limit = max(1, min(self._most, int(line / LANE_BYTES_PER_SECOND)))

    def too_slow(self) -> None:
        """A part was ended because it came too slowly."""
        self._limit = 1
