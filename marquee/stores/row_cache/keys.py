"""Every key of the row cache and every lock of a fill, and what purges them.

| key | holds | fresh | kept | purged by |
|---|---|---|---|---|
| `row:new-releases:v1` | the row's first 50 items, for everybody | `row_ttl_seconds` | KEEP_SECONDS | any change of a title |
| `row:genre-...:v1` | the same of a genre | the same | the same | a change of a title of that genre, before or after it |
| lock `row-fill:...` | who fills | | HOLD_SECONDS | its holder's end, or by itself |

A change of a title is: published (the chain's `title` stage), edited, unpublished, republished, deleted. What is not
purged (the cache was down, a process died between commit and purge) goes stale by itself. `v1` is the form of the body:
a new form gets a new number, so that two releases of the API can run side by side.
"""

from collections.abc import Iterable
from typing import Final

from marquee.domain.rows import NEW_RELEASES, ROWS_BY_ID, canonical_genre, genre_row_id

KEEP_SECONDS: Final = 6 * 3600.0
"""How long a stale row may stand in for one that cannot be had."""
HOLD_SECONDS: Final = 5.0
"""A fill's lock: longer than any query may take, short enough that a dead filler delays nobody for long."""


def row_key(row_id: str) -> str:
    return f"row:{row_id}:v1"


def fill_lock(row_id: str) -> str:
    return f"row-fill:{row_id}"


def rows_of_title(genres: Iterable[str]) -> list[str]:
    """Ids of the shared rows that a title of these genres can stand in."""
    ids = [NEW_RELEASES.row_id, *(genre_row_id(canonical_genre(genre)) for genre in genres)]
    return [row_id for row_id in dict.fromkeys(ids) if row_id in ROWS_BY_ID]


def keys_of_title(genres: Iterable[str]) -> list[str]:
    """The cache keys to purge after a change of a title; give its genres from before and after the change."""
    return [row_key(row_id) for row_id in rows_of_title(genres)]
