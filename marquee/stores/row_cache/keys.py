"""Every key of the row cache and every lock of a fill, how long each lasts, and what purges it.

| key | holds | fresh | kept | purged by |
|---|---|---|---|---|
| `row:new-releases:v1` | the row's first 50 items | `row_ttl_seconds` | KEEP_SECONDS | any change of a title |
| `row:genre-...:v1` | a genre row's first 50 items | the same | the same | a change of a title that had or has the genre |
| `row:trending:v1` | the row's first 50 items | the same | the same | any change of a title; an accepted batch `popularity` |
| `row:similar-N-m_...:v1` | titles like this one | the same | the same | never: N is the generation of `row:similar:v1` |
| `row:similar:v1` | nothing but its generation | | | any change of a title; an accepted batch `similar` |
| lock `row-fill:...` | which process fills | | HOLD_SECONDS | its holder when done, or its expiry |

An accepted batch `popularity` also purges the rows of the genres whose order it moved. A profile's own rows are never here.
A change of a title is: published (the chain's `title` stage), edited, unpublished, republished, deleted. A purge can be missed
(the cache was down, or a process died between commit and purge): then the entry stays until it is stale. `v1` is the format of
the body. A new format gets a new number, so that two releases of the API can run side by side.
"""

from collections.abc import Iterable
from typing import Final

from marquee.domain.rows import NEW_RELEASES, ROWS_BY_ID, TRENDING, RowDefinition, canonical_genre, genre_row_id

KEEP_SECONDS: Final = 6 * 3600.0
"""How long a stale row may be served while no fresh one can be read."""
HOLD_SECONDS: Final = 5.0
"""Lifetime of a fill's lock: longer than any query takes, and short, since a dead process delays the next fill by it."""

SIMILAR_FAMILY: Final = "similar"
"""Its generation stands in the ids of all lists of similar titles: to raise it purges them all."""


def similar_row(movie_id: str, generation: int) -> RowDefinition:
    """The list of titles like this one. `generation`: that of `SIMILAR_FAMILY`."""
    return RowDefinition(f"{SIMILAR_FAMILY}-{generation}-{movie_id}", "More like this", "similar", movie_id=movie_id)


def row_key(row_id: str) -> str:
    """The cache key of a row."""
    return f"row:{row_id}:v1"


def fill_lock(row_id: str) -> str:
    """The name of the lock (`coordination`) of the process that fills a row."""
    return f"row-fill:{row_id}"


def rows_of_title(genres: Iterable[str]) -> list[str]:
    """Ids of the shared rows in which a title of these genres can appear, each once, and the family of similar titles."""
    return [NEW_RELEASES.row_id, TRENDING.row_id, SIMILAR_FAMILY, *_genre_rows(genres)]


def keys_of_title(genres: Iterable[str]) -> list[str]:
    """The cache keys to purge after a change of a title. `genres`: its genres before and after the change."""
    return [row_key(row_id) for row_id in rows_of_title(genres)]


def keys_of_batch(name: str, genres: Iterable[str] = ()) -> list[str]:
    """The cache keys to purge when a batch of analytics is accepted. `genres`: those whose rows have another order now."""
    match name:
        case "popularity":
            row_ids = [TRENDING.row_id, *_genre_rows(genres)]
        case "similar":
            row_ids = [SIMILAR_FAMILY]
        case _:
            row_ids = []
    return [row_key(row_id) for row_id in row_ids]


def _genre_rows(genres: Iterable[str]) -> list[str]:
    ids = dict.fromkeys(genre_row_id(canonical_genre(genre)) for genre in genres)
    return [row_id for row_id in ids if row_id in ROWS_BY_ID]
