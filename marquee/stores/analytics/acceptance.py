"""What follows from an accepted batch: popularity in rows and search moves, and the rows that changed leave the cache.

Call it after `judge(batch_id, accepted=True)`. It reads the accepted batch itself, so a repeat, or a call after a kill, brings
the same state. An unaccepted batch changes nothing for viewers.
"""

from dataclasses import dataclass

from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.opened import Stores
from marquee.stores.row_cache.keys import keys_of_batch

log = get_logger()


@dataclass(frozen=True)
class Followed:
    moved_titles: int
    """Titles whose popularity moved by a step: the search document of each has a new revision."""
    purged: tuple[str, ...]
    """Keys of the row cache."""
    is_purged: bool
    """False: the cache was down. The rows expire within `row_ttl_seconds`."""


async def follow_accepted(stores: Stores, name: str) -> Followed:
    """Raises `StoreUnavailable` where PostgreSQL does not answer; then nothing moved."""
    moved = (
        await stores.catalogue.titles.follow_watching(await stores.findings.watch_seconds())
        if name == "popularity"
        else {}
    )
    keys = keys_of_batch(name, [genre for genres in moved.values() for genre in genres])
    try:
        await stores.row_cache.purge(keys)
    except StoreUnavailable as error:
        log.warning("rows of an accepted batch were not purged", batch=name, reason=error.detail)
        return Followed(len(moved), tuple(keys), is_purged=False)
    return Followed(len(moved), tuple(keys), is_purged=True)
