"""The home page's rows as data, in their order, and the names that one genre goes by in real catalogues.

The 20 genres are the most common ones of a merged catalogue of 156,097 titles (drama 61,560 ... family 2,134), after the
spellings of its sources ("Dramas", "Science Fiction", "Scifi") were put together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

RowKind = Literal["continue_watching", "new_releases", "genre"]


@dataclass(frozen=True)
class RowDefinition:
    row_id: str
    title: str
    kind: RowKind
    genre: str | None = None


GENRES: Final = (
    "Drama",
    "Comedy",
    "Action",
    "Romance",
    "Thriller",
    "Documentary",
    "Animation",
    "Horror",
    "Crime",
    "Adventure",
    "Sci-Fi",
    "Fantasy",
    "Mystery",
    "Family",
    "Western",
    "War",
    "Musical",
    "Silent",
    "Short",
    "Children",
)

_ALIASES: Final = {
    "dramas": "Drama",
    "tv dramas": "Drama",
    "comedies": "Comedy",
    "tv comedies": "Comedy",
    "romantic movies": "Romance",
    "romantic": "Romance",
    "thrillers": "Thriller",
    "suspense": "Thriller",
    "documentaries": "Documentary",
    "documentation": "Documentary",
    "docuseries": "Documentary",
    "animated": "Animation",
    "anime": "Animation",
    "horror movies": "Horror",
    "science fiction": "Sci-Fi",
    "scifi": "Sci-Fi",
    "sci fi": "Sci-Fi",
    "musicals": "Musical",
    "kids": "Children",
    "kids' tv": "Children",
    "shorts": "Short",
}
_CANONICAL: Final = {**_ALIASES, **{genre.lower(): genre for genre in GENRES}}

CONTINUE_WATCHING: Final = RowDefinition("continue-watching", "Continue watching", "continue_watching")
NEW_RELEASES: Final = RowDefinition("new-releases", "New releases", "new_releases")


def genre_row_id(genre: str) -> str:
    return "genre-" + "".join(letter if letter.isalnum() else "-" for letter in genre.lower())


ROWS: Final = (
    CONTINUE_WATCHING,
    NEW_RELEASES,
    *(RowDefinition(genre_row_id(genre), genre, "genre", genre) for genre in GENRES),
)
"""Every row, in the order of the home page."""

ROWS_BY_ID: Final = {row.row_id: row for row in ROWS}


def canonical_genre(name: str) -> str:
    """The one spelling of a genre: `science fiction` is `Sci-Fi`; what is not known is kept as it is, trimmed."""
    trimmed = " ".join(name.split())
    return _CANONICAL.get(trimmed.lower(), trimmed)


def canonical_genres(names: Iterable[str]) -> list[str]:
    """The same for several, in their order, each once."""
    return list(dict.fromkeys(canonical for name in names if (canonical := canonical_genre(name))))
