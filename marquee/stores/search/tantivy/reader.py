"""Reading a Tantivy index that another process may be writing: always what was committed last.

Before each search the pointer to the current generation and the stamp of its `meta.json` are looked at (microseconds); what
changed is reloaded then, so a commit is seen by the next search, in every process, without a watcher or a delay.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tantivy

from marquee.errors import StoreUnavailable
from marquee.stores.search.tantivy.folder import IndexFolder

ATTEMPTS = 5


class IndexReader:
    def __init__(self, folder: IndexFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._index: tantivy.Index | None = None

    def searcher(self) -> tantivy.Searcher | None:
        """A view of the newest commit; None while there is no index yet. Raises `StoreUnavailable`."""
        with self._lock:
            for _ in range(ATTEMPTS):
                path = self._folder.current()
                if path is None:
                    return None
                try:
                    self._refresh(path)
                except (OSError, ValueError) as error:
                    # A rebuild may just have swapped the folder; then the pointer names another now.
                    failure = error
                    self._path = None
                    continue
                assert self._index is not None
                return self._index.searcher()
        raise StoreUnavailable(f"The search index in {self._folder.root} cannot be read: {failure}") from failure

    def _refresh(self, path: Path) -> None:
        facts = os.stat(path / "meta.json")
        stamp = (facts.st_ino, facts.st_mtime_ns)
        if path != self._path:
            self._index = tantivy.Index.open(str(path))
            self._index.config_reader("Manual")
            self._path, self._stamp = path, None
        if stamp != self._stamp:
            assert self._index is not None
            self._index.reload()
            self._stamp = stamp


def count(searcher: Any, query: tantivy.Query) -> int:
    """How many documents a query matches."""
    return int(searcher.search(query, limit=1, count=True).count)


def integers(searcher: Any, field: str, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
    """A numeric fast field of several hits, in their order."""
    return [int(value) for value in searcher.fast_field_values(field, list(addresses))]
