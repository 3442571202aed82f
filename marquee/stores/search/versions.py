"""One number that orders the changes of a title, for both engines.

A change's version is 2 * revision, plus 1 for a delete. So the newest revision wins and, at equal revisions, the delete. Writers
compare it with the version in the index; Elasticsearch stores it as the document's external version.
"""

from collections.abc import Sequence

from marquee.documents import SearchDocument
from marquee.stores.search.contract import Deletion

Change = SearchDocument | Deletion


def version(revision: int, *, deleted: bool) -> int:
    """2 * revision, plus 1 for a delete; `version // 2` is the revision."""
    return 2 * revision + deleted


def version_of(change: Change) -> int:
    """The version of a change."""
    return version(change.revision, deleted=isinstance(change, Deletion))


def newest(changes: Sequence[Change]) -> list[Change]:
    """The winning change of each title."""
    found: dict[str, Change] = {}
    for change in changes:
        before = found.get(change.movie_id)
        if before is None or version_of(change) > version_of(before):
            found[change.movie_id] = change
    return list(found.values())
