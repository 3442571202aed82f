"""Reads a Tantivy index that another process may be writing; a search always sees the last commit.

Before each search the reader checks the pointer to the current generation and the inode and time of its `meta.json`,
which takes microseconds, and reloads what changed. So the next search of every process sees a commit, without a watcher
and without a delay.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tantivy

from marquee.errors import StoreUnavailable
from marquee.stores.search.tantivy.folder import IndexFolder

MAX_ATTEMPTS = 5
"""How often opening is tried while rebuilds swap the folder."""


class IndexReader:
    """The open index of one process; safe to use from several threads."""

    def __init__(self, folder: IndexFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._index: tantivy.Index | None = None

    def searcher(self) -> tantivy.Searcher | None:
        """A view of the last commit; None if there is no index yet. Raises `StoreUnavailable` if it cannot be read."""
        with self._lock:
            for _ in range(MAX_ATTEMPTS):
                path = self._folder.current()
                if path is None:
                    return None
                try:
                    self._refresh(path)
                except (OSError, ValueError) as error:
                    # A rebuild may just have swapped the folder: then the pointer names another one now.
                    failure = error
                    self._path = None
                    continue
                assert self._index is not None
                return self._index.searcher()
        raise StoreUnavailable(f"The search index in {self._folder.root} cannot be read: {failure}") from failure

    def _refresh(self, path: Path) -> None:
        file_status = os.stat(path / "meta.json")
        stamp = (file_status.st_ino, file_status.st_mtime_ns)
        if path != self._path:
            self._index = tantivy.Index.open(str(path))
            self._index.config_reader("Manual")
            self._path, self._stamp = path, None
        if stamp != self._stamp:
            assert self._index is not None
            self._index.reload()
            self._stamp = stamp


def count(searcher: Any, query: tantivy.Query) -> int:
    """The number of documents that a query matches."""
    return int(searcher.search(query, limit=1, count=True).count)


def integers(searcher: Any, field: str, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
    """The values of a numeric fast field, in the order of the hits."""
    return [int(value) for value in searcher.fast_field_values(field, list(addresses))]
