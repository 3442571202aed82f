"""`SearchIndex` on Tantivy: in this process, in one folder, with one writing process and any number of readers.

A search finds candidates by `query`, orders the best of them by `ranking`, and continues with the others in the order of their
candidate scores, as `paging` says. Searches run in READ_THREADS threads, writes in one thread. An unreadable folder raises
`StoreUnavailable`.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
import tantivy
from tantivy import Query

from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.stores.search.contract import Deletion, SearchFilters, SearchHit, SearchPage
from marquee.stores.search.paging import (
    EXTRA_CANDIDATES,
    MAX_DEPTH,
    MAX_LIMIT,
    RANKED_CANDIDATES,
    Placed,
    Position,
    page_of,
    read_position,
    suggestions,
)
from marquee.stores.search.relevance import ranking
from marquee.stores.search.relevance.candidates import word_weight
from marquee.stores.search.relevance.fields import storable
from marquee.stores.search.relevance.text import query_words
from marquee.stores.search.tantivy.folder import IndexFolder
from marquee.stores.search.tantivy.query import LIVE, SCHEMA, candidates_query, filtered, prefix_query
from marquee.stores.search.tantivy.reader import IndexReader, count, integers
from marquee.stores.search.tantivy.writer import IndexWriter

SCHEMA_VERSION = 2
"""Part of the folder's name. An index of another schema is not read; the search sync then builds a new one."""
READ_THREADS = 4
REBUILD_BATCH = 1000
MAX_GENRES = 100

Answer = TypeVar("Answer")


class TantivyIndex:
    """`writer`: whether `apply` and `rebuild` are allowed; then `open` must be called first."""

    def __init__(self, folder: Path, *, writer: bool) -> None:
        self._folder = IndexFolder(folder / f"schema-{SCHEMA_VERSION}")
        self._reader = IndexReader(self._folder)
        self._writer = IndexWriter(self._folder, self._reader) if writer else None
        self._read_threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="search")
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="search-writer")
        self._writing = asyncio.Lock()
        self._closed = False

    async def open(self) -> None:
        """Become the writer. Raises `StoreUnavailable` if another process is it."""
        if self._writer is not None:
            await self._write(self._writer.open)

    async def _read(self, call: Callable[[], Answer]) -> Answer:
        return await self._thread(self._read_threads, call)

    async def _write(self, call: Callable[[], Answer]) -> Answer:
        return await self._thread(self._write_thread, call)

    async def _thread(self, threads: ThreadPoolExecutor, call: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, call)
        except (OSError, ValueError, OverflowError) as error:
            raise StoreUnavailable(f"The search index in {self._folder.root} failed: {error}") from error

    def _require_writer(self) -> IndexWriter:
        if self._writer is None:
            raise StoreUnavailable("This process opened the search index for reading; only the search sync writes it.")
        return self._writer

    # --- writing -----------------------------------------------------------------------------------------
    async def apply(self, changes: Sequence[SearchDocument | Deletion]) -> int:
        writer = self._require_writer()
        async with self._writing:
            return await self._write(lambda: writer.apply(changes))

    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> int:
        writer = self._require_writer()
        async with self._writing:
            await self._write(writer.begin_rebuild)
            try:
                batch: list[SearchDocument] = []
                async for document in documents:
                    batch.append(document)
                    if len(batch) >= REBUILD_BATCH:
                        full, batch = batch, []
                        await self._write(lambda full=full: writer.add_to_rebuild(full))  # type: ignore[misc]
                await self._write(lambda: writer.add_to_rebuild(batch))
                return await self._write(writer.finish_rebuild)
            finally:
                writer.abandon_rebuild()

    # --- searching ---------------------------------------------------------------------------------------
    async def search(
        self, query: str, *, limit: int = 10, position: str | None = None, filters: SearchFilters | None = None
    ) -> SearchPage:
        after = read_position(position, words_typed=len(query_words(query))) if position is not None else None
        return await self._read(lambda: self._search(query, min(max(limit, 1), MAX_LIMIT), after, filters))

    def _search(self, query: str, limit: int, after: Position | None, filters: SearchFilters | None) -> SearchPage:
        searcher = self._reader.searcher()
        typed = query_words(query)
        if searcher is None or not typed:
            return SearchPage((), None)
        weights = after.weights if after else word_weights(searcher, typed)
        candidates = candidates_query(query, weights)
        assert candidates is not None
        found = CandidateHits(searcher, filtered(candidates, filters))
        threshold = after.threshold if after else found.threshold()
        placed: list[Placed] = []
        if after is None or after.ranked:
            ordered = _ranked(typed, weights, searcher, found.ranked(threshold))
            following = [hit for hit in ordered if after is None or hit[:2] > after.place]
            placed = [
                Placed(SearchHit(_document(searcher, address), -negative), True, order)
                for negative, order, address in following[: limit + 1]
            ]
        seen = after.seen if after else 0
        if len(placed) <= limit:
            start = after.place if after and not after.ranked else (-threshold, -1)
            for score, order, address in found.below(threshold, start, limit + 1 - len(placed), expected=seen):
                placed.append(Placed(SearchHit(_document(searcher, address), score), False, order))
        return page_of(placed, limit, weights=weights, threshold=threshold, seen=seen)

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        return await self._read(lambda: self._suggest(prefix, limit))

    def _suggest(self, prefix: str, limit: int) -> Sequence[str]:
        searcher = self._reader.searcher()
        query = prefix_query(prefix)
        if searcher is None or query is None:
            return ()
        hits = searcher.search(
            filtered(query, None), limit=RANKED_CANDIDATES, count=False, weight_by_field="prior"
        ).hits
        titles = [_document(searcher, address).title for _, address in hits]
        return suggestions(query_words(prefix), titles, limit)

    async def facets(self, query: str) -> dict[str, int]:
        return await self._read(lambda: self._facets(query))

    def _facets(self, query: str) -> dict[str, int]:
        searcher = self._reader.searcher()
        typed = query_words(query)
        if searcher is None or not typed:
            return {}
        candidates = candidates_query(query, word_weights(searcher, typed))
        assert candidates is not None
        wanted = {"genres": {"terms": {"field": "genre", "size": MAX_GENRES}}}
        answer = searcher.aggregate(filtered(candidates, None), wanted)
        return {bucket["key"]: int(bucket["doc_count"]) for bucket in answer["genres"]["buckets"]}

    async def revision(self, movie_id: str) -> int | None:
        return await self._read(lambda: self._revision(movie_id))

    def _revision(self, movie_id: str) -> int | None:
        searcher = self._reader.searcher()
        if searcher is None:
            return None
        wanted = Query.term_query(SCHEMA, "movie_id", storable(movie_id))
        query = filtered(wanted, None)
        addresses = [address for _, address in searcher.search(query, limit=1, count=False).hits]
        return integers(searcher, "revision", addresses)[0] if addresses else None

    async def exists(self) -> bool:
        return await self._read(self._reader.searcher) is not None

    async def count(self) -> int:
        return await self._read(self._count)

    def _count(self) -> int:
        searcher = self._reader.searcher()
        return count(searcher, LIVE) if searcher is not None else 0

    async def ping(self) -> None:
        searcher = await self._read(self._reader.searcher)
        if self._writer is not None:
            if searcher is None:
                raise StoreUnavailable(
                    f"The search index in {self._folder.root} is gone: restart the search sync, which rebuilds it."
                )
            async with self._writing:
                await self._write(self._writer.check)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            await self._write(self._writer.close)
        self._read_threads.shutdown(wait=False)
        self._write_thread.shutdown(wait=False)


class CandidateHits:
    """The hits of one query, best first. Only as many are fetched as a page needs."""

    def __init__(self, searcher: tantivy.Searcher, query: Query) -> None:
        self._searcher = searcher
        self._query = query
        self._hits: list[tuple[float, int, tantivy.DocAddress]] = []
        self._has_all = False

    def _fetch(self, depth: int) -> None:
        if self._has_all or depth <= len(self._hits):
            return
        found = self._searcher.search(self._query, limit=depth, count=False, weight_by_field="prior").hits
        orders = integers(self._searcher, "order", [address for _, address in found])
        self._hits = sorted(
            ((score, order, address) for (score, address), order in zip(found, orders, strict=True)),
            key=lambda hit: (-hit[0], hit[1]),
        )
        self._has_all = len(found) < depth

    def threshold(self) -> float:
        """The candidate score from which `ranking` orders hits; 0 if there are fewer than RANKED_CANDIDATES."""
        self._fetch(RANKED_CANDIDATES + EXTRA_CANDIDATES)
        return self._hits[RANKED_CANDIDATES - 1][0] if len(self._hits) >= RANKED_CANDIDATES else 0.0

    def ranked(self, threshold: float) -> list[tuple[float, int, tantivy.DocAddress]]:
        """(score, order, address) of the hits that reach the threshold."""
        depth = RANKED_CANDIDATES + EXTRA_CANDIDATES
        self._fetch(depth)
        while not self._has_all and self._hits[-1][0] >= threshold and depth < MAX_DEPTH:
            depth *= 2
            self._fetch(depth)
        return [hit for hit in self._hits if hit[0] >= threshold]

    def below(
        self, threshold: float, after: tuple[float, int], limit: int, *, expected: int
    ) -> list[tuple[float, int, tantivy.DocAddress]]:
        """The next hits below the threshold. `after`: (negated score, order) of the last hit before. `expected`: hits so far."""
        depth = max(RANKED_CANDIDATES, expected) + limit + EXTRA_CANDIDATES
        while True:
            self._fetch(depth)
            # Hits with the last fetched score are left out: others of that score may not be fetched yet.
            end = -math.inf if self._has_all or not self._hits else self._hits[-1][0]
            found = [hit for hit in self._hits if end < hit[0] < threshold and (-hit[0], hit[1]) > after]
            if self._has_all or len(found) >= limit or depth >= 2 * MAX_DEPTH:
                return found[:limit]
            depth *= 2


def _ranked(
    typed: tuple[str, ...],
    weights: Sequence[float],
    searcher: tantivy.Searcher,
    hits: Sequence[tuple[float, int, tantivy.DocAddress]],
) -> list[tuple[float, int, tantivy.DocAddress]]:
    """(negated score, order, address), best first."""
    titles = [_PREPARED.decode(searcher.doc(address)["prepared"][0]) for _, _, address in hits]
    scores = ranking.scores(typed, weights, titles)
    scored = [(-score, order, address) for score, (_, order, address) in zip(scores, hits, strict=True)]
    return sorted(scored, key=lambda hit: hit[:2])


def word_weights(searcher: tantivy.Searcher, typed: Sequence[str]) -> list[float]:
    """One weight for each typed word."""
    return [word_weight(searcher.doc_freq("names", word), searcher.num_docs) for word in typed]


def _document(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> SearchDocument:
    body: bytes = searcher.doc(address)["body"][0]
    return _DECODER.decode(body)


_DECODER = msgspec.json.Decoder(SearchDocument)
_PREPARED = msgspec.msgpack.Decoder(ranking.Prepared)
