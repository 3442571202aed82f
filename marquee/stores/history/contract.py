"""Watch history: which titles a profile watched, one row a profile and title, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class WatchedTitle:
    profile_id: str
    movie_id: str
    first_watched_at: datetime
    last_watched_at: datetime


class WatchHistory(Protocol):
    async def record(self, profile_id: str, movie_id: str, watched_at: datetime) -> None:
        """Note that the profile watches the title. The same moment again, or an older one between two, changes nothing."""
        ...

    async def page(self, profile_id: str, *, limit: int, before: tuple[datetime, str] | None) -> Sequence[WatchedTitle]:
        """Newest first, from the row behind `before`: the (last_watched_at, movie_id) of the last row seen."""
        ...

    async def forget(self, profile_id: str, movie_id: str) -> None:
        """Idempotent."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
