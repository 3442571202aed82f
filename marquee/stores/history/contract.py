"""Watch history: which titles a profile watched, one row a profile and title, newest first.

Forgetting is an event with a time: what was watched before it stays away, in any order of arrival; watching later counts.
"""

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
        """Note that the profile watches the title. The same moment again, or an older one between two, changes nothing.

        Nor does a moment at or before the one at which the title was forgotten.
        """
        ...

    async def get(self, profile_id: str, movie_id: str) -> WatchedTitle | None:
        """None for a title that was not watched, or was forgotten."""
        ...

    async def page(self, profile_id: str, *, limit: int, before: tuple[datetime, str] | None) -> Sequence[WatchedTitle]:
        """Newest first, from the row behind `before`: the (last_watched_at, movie_id) of the last row seen."""
        ...

    async def forget(self, profile_id: str, movie_id: str, at: datetime) -> None:
        """Forget that the title was watched at or before this moment. Idempotent."""
        ...

    async def forget_all(self, profile_id: str, at: datetime) -> None:
        """Forget everything that the profile watched at or before this moment. Idempotent."""
        ...

    async def erase(self, profile_id: str) -> int:
        """Delete every row of a profile, forgotten titles too: nothing says any more what it watched. Returns how many."""
        ...

    async def restore(self, watched: WatchedTitle, *, forgotten_at: datetime) -> bool:
        """Undo the `forget` of this moment: the title is in the history as it was before. Idempotent.

        False if nothing was restored, because the title was forgotten later, or is not there.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
