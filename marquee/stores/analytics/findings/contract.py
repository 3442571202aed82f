"""What viewers see of analytics: always of the accepted batch, and only titles that are playable at the moment of the read.

Without an accepted batch every answer is empty: nothing is degraded then. A batch that is written, refused or superseded
is never read. A rank is a title's place in its list, from 1; ranks of titles that are not playable are skipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from marquee.stores.catalogue.values import RowPosition, TitleCard

MAX_LISTS: Final = 6
"""Lists of suggestions that are read of a profile. A home page shows fewer: some have too few playable titles."""
MAX_LIST_ITEMS: Final = 50
TASTE_DAYS: Final = 90
"""How far back a profile's watch time counts."""


@dataclass(frozen=True)
class RankedCard:
    rank: int
    card: TitleCard


@dataclass(frozen=True)
class SuggestionList:
    """What a profile may like because it watched a title, which is playable and not removed from the history."""

    because_movie_id: str
    because_title: str
    items: Sequence[RankedCard]


@dataclass(frozen=True)
class ProfileFindings:
    """What analytics knows of one profile. `genre_shares`: shares of its watch time, by genre."""

    has_batch: bool
    """False: no batch of suggestions is accepted, for any profile."""
    watched_seconds: float = 0.0
    """Within the last `TASTE_DAYS`."""
    genre_shares: Mapping[str, float] = field(default_factory=dict)
    suggestions: Sequence[SuggestionList] = ()
    """The title watched last first."""


class Findings(Protocol):
    async def trending(self, *, limit: int, after: RowPosition | None) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Titles that are watched more than they used to be, the strongest first. The sort value is the rank."""
        ...

    async def similar(self, movie_id: str, *, limit: int) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Titles like this one, the most similar first. Empty for an unknown title."""
        ...

    async def of_profile(self, profile_id: str) -> ProfileFindings:
        """Taste and suggestions of a profile, in one read: at most `MAX_LISTS` lists of `MAX_LIST_ITEMS` titles."""
        ...

    async def watch_seconds(self) -> Mapping[str, float]:
        """Seconds watched of each title in the `WATCH_DAYS` up to the end of the accepted batch `popularity`."""
        ...

    async def close(self) -> None: ...
