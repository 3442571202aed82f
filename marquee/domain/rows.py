"""The home page's rows as data, in their order, and one spelling for each genre.

The 20 genres are the most common ones in a merged catalogue of 156,097 titles (drama 61,560 ... family 2,134). They
were counted after the spellings of its sources ("Dramas", "Science Fiction", "Scifi") were merged by `canonical_genre`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

RowKind = Literal["continue_watching", "new_releases", "trending", "because", "genre", "similar"]


@dataclass(frozen=True)
class RowDefinition:
    """One row: its id in the API, its heading, and where its titles come from.

    `genre` is set for rows of a genre only, `movie_id` for rows that begin with a title: "because", "similar".
    """

    row_id: str
    title: str
    kind: RowKind
    genre: str | None = None
    movie_id: str | None = None


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
TRENDING: Final = RowDefinition("trending", "Trending now", "trending")
BECAUSE_TITLE: Final = "Because you watched"
BECAUSE_PREFIX: Final = "because-"
MAX_BECAUSE_ROWS: Final = 2
"""Rows "Because you watched ..." on a home page."""
MIN_BECAUSE_ITEMS: Final = 8
"""With fewer titles to suggest, the row is left out."""
LITTLE_WATCHED_SECONDS: Final = 2 * 3600.0
"""Up to here a profile has the default order of rows."""
HALF_CERTAIN_SECONDS: Final = 10 * 3600.0
"""Watch time beyond `LITTLE_WATCHED_SECONDS` after which taste and the default order weigh the same."""


def because_row(movie_id: str, title: str) -> RowDefinition:
    """The row of what a profile may like because it watched this title."""
    return RowDefinition(BECAUSE_PREFIX + movie_id, f"{BECAUSE_TITLE} {title}", "because", movie_id=movie_id)


def genre_row_id(genre: str) -> str:
    """The id of a genre's row: `genre-sci-fi` for `Sci-Fi`."""
    return "genre-" + "".join(letter if letter.isalnum() else "-" for letter in genre.lower())


ROWS: Final = (
    CONTINUE_WATCHING,
    NEW_RELEASES,
    TRENDING,
    *(RowDefinition(genre_row_id(genre), genre, "genre", genre) for genre in GENRES),
)
"""Every row that all profiles have, in the default order of the home page."""

ROWS_BY_ID: Final = {row.row_id: row for row in ROWS}


def canonical_genre(name: str) -> str:
    """The one spelling of a genre: `science fiction` becomes `Sci-Fi`. An unknown genre keeps its spelling, trimmed."""
    trimmed = " ".join(name.split())
    return _CANONICAL.get(trimmed.lower(), trimmed)


def canonical_genres(names: Iterable[str]) -> list[str]:
    """The one spelling of each genre, in order, each once."""
    return list(dict.fromkeys(canonical for name in names if (canonical := canonical_genre(name))))


def personal_order(genre_shares: Mapping[str, float], watched_seconds: float) -> tuple[RowDefinition, ...]:
    """`ROWS` in the order of one profile: a genre moves up the more of the watch time is its own.

    `genre_shares` is genre -> share of the watch time; only the relation between shares counts. Genres are sorted by
    (1 - certainty) x default place - certainty x `len(GENRES)` x share / the largest share. Certainty grows from 0 at
    `LITTLE_WATCHED_SECONDS` towards 1, so few films move nothing far. Rows that are no genre's keep their places. Shares
    that are no number above zero, and genres without a row, count for nothing.
    """
    beyond = watched_seconds - LITTLE_WATCHED_SECONDS
    if not beyond > 0:
        return ROWS
    certainty = 1.0 if math.isinf(beyond) else beyond / (beyond + HALF_CERTAIN_SECONDS)
    shares: dict[str, float] = {}
    for name, share in genre_shares.items():
        if 0 < share < math.inf:
            genre = canonical_genre(name)
            shares[genre] = shares.get(genre, 0.0) + share
    largest = max((shares.get(genre, 0.0) for genre in GENRES), default=0.0)
    if not 0 < largest < math.inf:
        return ROWS
    genres = [row for row in ROWS if row.genre is not None]

    def wanted_place(place: int) -> float:
        liking = shares.get(genres[place].genre or "", 0.0) / largest
        return (1 - certainty) * place - certainty * len(genres) * liking

    moved = sorted(range(len(genres)), key=wanted_place)
    return (*(row for row in ROWS if row.genre is None), *(genres[place] for place in moved))
