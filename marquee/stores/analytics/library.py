"""The contract for what the jobs of analytics read of the catalogue: every title that is not deleted, in one pass."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LibraryTitle:
    """A title as the content rules see it. `is_playable`: a row may show it."""

    movie_id: str
    title: str
    year: int | None
    description: str | None
    genres: tuple[str, ...]
    people: tuple[str, ...]
    popularity: float
    is_playable: bool


class Library(Protocol):
    async def durations(self) -> list[tuple[str, float]]:
        """(movie_id, seconds) of the titles that have a duration."""
        ...

    def titles(self) -> AsyncIterator[LibraryTitle]:
        """All titles, those that more people know first. Holds a thousand at a time."""
        ...

    async def close(self) -> None: ...
