"""The row cache's contract: shared bytes of home rows, never a user's data.

An entry carries when it stops being fresh and may be served stale until it leaves. A fill writes only if the row's
generation did not change since the fill began: a purge that comes meanwhile wins.
"""

from dataclasses import dataclass
from typing import Final, Protocol

SETTING: Final = "MARQUEE_ROW_CACHE_URL"


@dataclass(frozen=True)
class CachedRow:
    body: bytes
    fresh: bool


class RowCache(Protocol):
    async def get(self, key: str) -> CachedRow | None: ...

    async def generation(self, key: str) -> int:
        """Read before the query; hand to `fill`."""
        ...

    async def fill(self, key: str, body: bytes, *, generation: int, fresh_seconds: float, keep_seconds: float) -> bool:
        """Store if the generation is still the same (atomically); whether it was stored."""
        ...

    async def purge(self, keys: list[str]) -> None:
        """Drop entries and raise their generations, so that fills under way write nothing.

        Raises `StoreUnavailable` where one of them could not be reached; the others are purged all the same.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
