"""One number that orders the changes of a title: the newest revision wins and, of equal ones, the delete."""

from collections.abc import Sequence

from marquee.documents import SearchDocument
from marquee.stores.search.contract import Deletion

Change = SearchDocument | Deletion


def version(revision: int, *, deleted: bool) -> int:
    return 2 * revision + deleted


def version_of(change: Change) -> int:
    return version(change.revision, deleted=isinstance(change, Deletion))


def newest(changes: Sequence[Change]) -> list[Change]:
    """Of several changes of a title the one that wins."""
    found: dict[str, Change] = {}
    for change in changes:
        before = found.get(change.movie_id)
        if before is None or version_of(change) > version_of(before):
            found[change.movie_id] = change
    return list(found.values())
