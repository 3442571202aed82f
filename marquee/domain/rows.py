"""The home page's rows as data, in their order, and one spelling for each genre.

The 20 genres are the most common ones in a merged catalogue of 156,097 titles (drama 61,560 ... family 2,134). They
were counted after the spellings of its sources ("Dramas", "Science Fiction", "Scifi") were merged by `canonical_genre`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

RowKind = Literal["continue_watching", "new_releases", "genre"]


@dataclass(frozen=True)
class RowDefinition:
    """One row: its id in the API, its heading, and where its titles come from.

    `genre` is set for rows of a genre only.
    """

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
"""Other spellings in real catalogues, in lower case -> genre."""
_CANONICAL: Final = {**_ALIASES, **{genre.lower(): genre for genre in GENRES}}

CONTINUE_WATCHING: Final = RowDefinition("continue-watching", "Continue watching", "continue_watching")
NEW_RELEASES: Final = RowDefinition("new-releases", "New releases", "new_releases")


def genre_row_id(genre: str) -> str:
    """The id of a genre's row: `genre-sci-fi` for `Sci-Fi`."""
    return "genre-" + "".join(letter if letter.isalnum() else "-" for letter in genre.lower())


ROWS: Final = (
    CONTINUE_WATCHING,
    NEW_RELEASES,
    *(RowDefinition(genre_row_id(genre), genre, "genre", genre) for genre in GENRES),
)
"""Every row, in the order of the home page."""

ROWS_BY_ID: Final = {row.row_id: row for row in ROWS}


def canonical_genre(name: str) -> str:
    """The one spelling of a genre: `science fiction` becomes `Sci-Fi`. An unknown genre keeps its spelling, trimmed."""
    trimmed = " ".join(name.split())
    return _CANONICAL.get(trimmed.lower(), trimmed)


def canonical_genres(names: Iterable[str]) -> list[str]:
    """The one spelling of each genre, in order, each once."""
    return list(dict.fromkeys(canonical for name in names if (canonical := canonical_genre(name))))
