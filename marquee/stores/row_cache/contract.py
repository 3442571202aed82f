"""The row cache's contract: encoded home rows that are the same for every viewer, never a viewer's own data.

An entry is fresh for a time, then stale until it expires; a stale entry may still be served. A fill stores its row only if the
row's generation did not change since the fill began. So a purge during a fill wins over it, and the filled row, which may be
older than the purge, is not stored.
"""

from dataclasses import dataclass
from typing import Final, Protocol

SETTING: Final = "MARQUEE_ROW_CACHE_URL"


@dataclass(frozen=True)
class CachedRow:
    """`body`: the encoded row as `fill` got it. `fresh`: False once it should be refilled."""

    body: bytes
    fresh: bool


class RowCache(Protocol):
    """Every call raises `StoreUnavailable` when the engine does not answer. Keys are those of `keys.py`."""

    async def get(self, key: str) -> CachedRow | None:
        """The entry of this key; None if there is no entry."""
        ...

    async def generation(self, key: str) -> int:
        """The row's current generation. Read it before the database query, and pass it to `fill`."""
        ...

    async def fill(self, key: str, body: bytes, *, generation: int, fresh_seconds: float, keep_seconds: float) -> bool:
        """Store the row if its generation is still `generation`, atomically. Returns whether it was stored."""
        ...

    async def purge(self, keys: list[str]) -> None:
        """Delete entries and raise their generations, so that fills in progress store nothing.

        Raises `StoreUnavailable` if one key could not be purged; the other keys are purged even then.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
