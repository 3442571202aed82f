"""Writes a Tantivy index: versioned changes, and rebuilds. Only one process writes, from one thread at a time.

A change is refused unless its version (see `versions`) is newer than the one that the index has, or had when the title was
deleted: deleted titles keep a tombstone. A change is a delete by id and an add. A batch is one commit, on disk when `apply`
returns. A change that the index cannot hold raises `InputInvalid`, and then its batch is not applied.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy
from tantivy import Occur, Query

from marquee.documents import SearchDocument
from marquee.errors import InputInvalid
from marquee.logs import get_logger
from marquee.stores.search.contract import Deletion
from marquee.stores.search.tantivy.folder import IndexFolder
from marquee.stores.search.tantivy.query import LIVE, SCHEMA, to_tantivy, to_tombstone
from marquee.stores.search.tantivy.reader import IndexReader, count, integers
from marquee.stores.search.versions import Change, newest, version, version_of

WRITER_HEAP_BYTES = 48_000_000
LOOKUP_BATCH = 500

log = get_logger()


class IndexWriter:
    """The writer of one folder. `open` comes first. Calls raise OSError or ValueError if the folder cannot be written."""

    def __init__(self, folder: IndexFolder, reader: IndexReader) -> None:
        self._folder = folder
        self._reader = reader
        self._writer: tantivy.IndexWriter | None = None
        self._building: tuple[Path, tantivy.IndexWriter] | None = None

    def open(self) -> None:
        """Take the lock and open the current generation. An unreadable one is replaced by an empty one.

        Raises `StoreUnavailable` if another process has the lock.
        """
        self._folder.lock_for_writing()
        current = self._folder.current()
        if current is not None:
            try:
                self._writer = _open_writer(current)
            except (OSError, ValueError) as error:
                log.error("search_index_unreadable", folder=str(current), reason=str(error))
        if self._writer is None:
            generation = self._folder.new_generation()
            self._writer = _open_writer(generation)
            self._writer.commit()
            self._folder.make_current(generation)

    def check(self) -> None:
        """Make an empty commit. Raises OSError or ValueError if the folder cannot be written."""
        self._require_writer().commit()

    def _require_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            raise OSError("it cannot be written any more; restart the search sync")
        return self._writer

    def apply(self, changes: Sequence[Change]) -> int:
        """Apply a batch in one commit. Returns how many changes were accepted. Raises `InputInvalid`."""
        writer = self._require_writer()
        candidates = newest(changes)
        known = self._known_versions([change.movie_id for change in candidates])
        accepted = [
            change
            for change in candidates
            if change.movie_id not in known or version_of(change) > known[change.movie_id]
        ]
        documents_by_id = [(change.movie_id, _document_of(change)) for change in accepted]
        try:
            for movie_id, document in documents_by_id:
                writer.delete_documents_by_term("movie_id", movie_id)
                writer.add_document(document)
            if accepted:
                writer.commit()
        except Exception:
            try:
                writer.rollback()
            except Exception:
                # After a failed rollback the writer's state is unknown, and Tantivy panics when it is used again.
                self._writer = None
            raise
        return len(accepted)

    def _known_versions(self, movie_ids: Sequence[str]) -> dict[str, int]:
        """The versions that the index has of these titles."""
        searcher = self._reader.searcher()
        known: dict[str, int] = {}
        if searcher is None:
            return known
        for start in range(0, len(movie_ids), LOOKUP_BATCH):
            batch = list(movie_ids[start : start + LOOKUP_BATCH])
            query = Query.term_set_query(SCHEMA, "movie_id", batch)
            known |= _versions(searcher, query, limit=2 * len(batch))
        return known

    # --- rebuild -----------------------------------------------------------------------------------------
    def begin_rebuild(self) -> None:
        """Create the generation that the rebuild fills."""
        path = self._folder.new_generation()
        self._building = (path, _open_writer(path))

    def add_to_rebuild(self, documents: Iterable[SearchDocument]) -> None:
        """Add titles to the new generation. Raises `InputInvalid`."""
        assert self._building is not None
        for document in documents:
            indexed = _document_of(document)
            self._building[1].delete_documents_by_term("movie_id", document.movie_id)
            self._building[1].add_document(indexed)

    def finish_rebuild(self) -> int:
        """Copy the tombstones to the new generation and swap to it. Returns its number of titles."""
        assert self._building is not None
        path, building = self._building
        building.commit()
        searcher = self._reader.searcher()
        if searcher is not None:
            deleted_query = Query.term_query(SCHEMA, "state", "deleted")
            tombstones = _versions(searcher, deleted_query, limit=max(1, searcher.num_docs))
            fresh = tantivy.Index.open(str(path)).searcher()
            for movie_id, deleted in tombstones.items():
                rebuilt = _versions(fresh, Query.term_query(SCHEMA, "movie_id", movie_id), limit=1)
                if movie_id not in rebuilt or rebuilt[movie_id] < deleted:
                    building.delete_documents_by_term("movie_id", movie_id)
                    building.add_document(to_tombstone(movie_id, deleted // 2))
            building.commit()
        self._folder.make_current(path)
        self._writer, self._building = building, None
        searcher = self._reader.searcher()
        assert searcher is not None
        return count(searcher, LIVE)

    def abandon_rebuild(self) -> None:
        """Forget an unfinished generation; the next rebuild deletes its folder. Does nothing after `finish_rebuild`."""
        self._building = None

    def close(self) -> None:
        """Release the writer and the lock."""
        self._writer = self._building = None
        self._folder.unlock()


def _open_writer(path: Path) -> tantivy.IndexWriter:
    return tantivy.Index(SCHEMA, path=str(path), reuse=True).writer(heap_size=WRITER_HEAP_BYTES, num_threads=1)


def _document_of(change: Change) -> tantivy.Document:
    """The document of a change. Raises `InputInvalid` for a value that the schema cannot hold."""
    try:
        return to_tombstone(change.movie_id, change.revision) if isinstance(change, Deletion) else to_tantivy(change)
    except (ValueError, OverflowError) as error:
        raise InputInvalid(f"The search index cannot hold the title {change.movie_id}: {error}") from error


def _versions(searcher: tantivy.Searcher, query: Query, *, limit: int) -> dict[str, int]:
    """movie_id -> version (see `versions`) of each title that a query finds, deleted ones included."""
    deleted_query = Query.boolean_query(
        [(Occur.Must, query), (Occur.Must, Query.term_query(SCHEMA, "state", "deleted"))]
    )
    found: dict[str, int] = {}
    for selected, is_deleted in ((query, False), (deleted_query, True)):
        addresses = [address for _, address in searcher.search(selected, limit=limit, count=False).hits]
        for address, revision in zip(addresses, integers(searcher, "revision", addresses), strict=True):
            found[searcher.doc(address)["movie_id"][0]] = version(revision, deleted=is_deleted)
    return found
