"""`SearchIndex` on Elasticsearch, for any number of readers and writers.

A title is the document `movie_id` in the index that the alias `{alias}-v{schema}` names (see `generations`); no TTL. A search
finds candidates by `query`, orders the best of them by `ranking`, and continues with the others in the order of their candidate
scores, as `paging` says. The server keeps no state of a search. If the engine is down or answers only in part, a call raises
`StoreUnavailable` at once. An index that does not exist yet has no titles.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from elasticsearch import AsyncElasticsearch

from marquee import deadlines
from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.stores.search.contract import Deletion, SearchFilters, SearchHit, SearchPage
from marquee.stores.search.elasticsearch import query as queries
from marquee.stores.search.elasticsearch.answers import Candidate, SearchAnswer, Suggestion, VersionedHit
from marquee.stores.search.elasticsearch.client import (
    BUSY_SECONDS,
    REQUEST_SECONDS,
    Busy,
    open_client,
    outlast,
    translated,
)
from marquee.stores.search.elasticsearch.generations import Generations
from marquee.stores.search.elasticsearch.url import Target
from marquee.stores.search.elasticsearch.weights import CommonWords, WordWeights
from marquee.stores.search.elasticsearch.writer import IndexWriter
from marquee.stores.search.paging import (
    EXTRA_CANDIDATES,
    MAX_DEPTH,
    MAX_LIMIT,
    RANKED_CANDIDATES,
    Placed,
    page_of,
    read_position,
    suggestions,
)
from marquee.stores.search.relevance import ranking
from marquee.stores.search.relevance.fields import storable
from marquee.stores.search.relevance.text import query_words

SUGGESTION_CANDIDATES = 50
"""How many titles are fetched to choose suggestions from."""


_CANDIDATES = msgspec.json.Decoder(SearchAnswer[Candidate])
_SUGGESTIONS = msgspec.json.Decoder(SearchAnswer[Suggestion])
_VERSIONS = msgspec.json.Decoder(SearchAnswer[VersionedHit])
_COUNTS = msgspec.json.Decoder(SearchAnswer[msgspec.Raw])


class ElasticsearchIndex:
    """Connects at the first call. `writer`: whether `apply` and `rebuild` are allowed."""

    def __init__(self, target: Target, *, writer: bool) -> None:
        self._client = open_client(target)
        self._generations = Generations(self._client, target)
        self._writer = IndexWriter(self._client, self._generations) if writer else None
        self._weights = WordWeights(self._common_words)

    # --- writing -----------------------------------------------------------------------------------------
    def _require_writer(self) -> IndexWriter:
        if self._writer is None:
            raise StoreUnavailable("This process opened the search index for reading; only the search sync writes it.")
        return self._writer

    async def apply(self, changes: Sequence[SearchDocument | Deletion]) -> int:
        return await self._require_writer().apply(changes)

    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> int:
        await self._require_writer().rebuild(documents)
        return await self.count()

    def _within_deadline(self) -> AsyncElasticsearch:
        """The client with the time-out that is left to the request (`marquee.deadlines`)."""
        return self._client.options(request_timeout=max(0.001, deadlines.at_most(REQUEST_SECONDS)))

    # --- searching ---------------------------------------------------------------------------------------
    async def _ask(self, body: queries.Body) -> bytes:
        async def ask() -> bytes:
            with translated():
                answer = await self._within_deadline().search(
                    index=self._generations.live,
                    body=body,
                    # A missing index has no titles. If a shard does not answer, the search fails.
                    ignore_unavailable=True,
                    allow_partial_search_results=False,
                )
            found: bytes = answer.body
            return found

        return await outlast(ask, seconds=BUSY_SECONDS, what=Busy)

    async def search(
        self, query: str, *, limit: int = 10, position: str | None = None, filters: SearchFilters | None = None
    ) -> SearchPage:
        typed = query_words(query)
        after = read_position(position, words_typed=len(typed)) if position is not None else None
        if not typed:
            return SearchPage((), None)
        limit = min(max(limit, 1), MAX_LIMIT)
        weights = after.weights if after else await self._weights.of(typed)
        candidates = queries.candidates_query(query, weights, filters)
        assert candidates is not None
        threshold = after.threshold if after else None
        placed: list[Placed] = []
        if after is None or after.ranked:
            threshold, best = await self._best(candidates, threshold)
            ordered = await asyncio.to_thread(_ranked, typed, weights, best)
            following = [hit for hit in ordered if after is None or hit[:2] > after.place]
            placed = [
                Placed(SearchHit(hit.document(), -negative), True, order)
                for negative, order, hit in following[: limit + 1]
            ]
        assert threshold is not None
        if len(placed) <= limit and threshold > 0:
            place = (after.score, after.order) if after and not after.ranked else (threshold,)
            below = await self._candidates(queries.following_query(candidates, limit + 1 - len(placed), *place))
            placed += [Placed(SearchHit(hit.document(), hit.sort[0]), False, hit.sort[1]) for hit in below]
        return page_of(placed, limit, weights=weights, threshold=threshold, seen=after.seen if after else 0)

    async def _candidates(self, body: queries.Body) -> list[Candidate]:
        return _CANDIDATES.decode(await self._ask(body)).hits.hits

    async def _best(self, candidates: queries.Body, threshold: float | None) -> tuple[float, list[Candidate]]:
        """The threshold (0 if all candidates reach it), and the candidates that reach it.

        `threshold`: that of an earlier page; None: computed as the score of candidate number RANKED_CANDIDATES.
        """
        depth = RANKED_CANDIDATES + EXTRA_CANDIDATES
        while True:
            hits = await self._candidates(queries.best_query(candidates, depth))
            if threshold is not None:
                lowest = threshold
            else:
                lowest = hits[RANKED_CANDIDATES - 1].sort[0] if len(hits) >= RANKED_CANDIDATES else 0.0
            if len(hits) < depth or hits[-1].sort[0] < lowest or depth >= MAX_DEPTH:
                return lowest, [hit for hit in hits if hit.sort[0] >= lowest]
            depth *= 2

    async def _common_words(self) -> CommonWords:
        found = _COUNTS.decode(await self._ask(queries.common_words_query()))
        return CommonWords(found.hits.total.value if found.hits.total else 0, found.counts("words"))

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        body = queries.completion_query(prefix, SUGGESTION_CANDIDATES)
        if body is None:
            return ()
        found = _SUGGESTIONS.decode(await self._ask(body)).hits.hits
        return suggestions(query_words(prefix), [hit.source.document.title for hit in found], limit)

    async def facets(self, query: str) -> dict[str, int]:
        typed = query_words(query)
        if not typed:
            return {}
        candidates = queries.candidates_query(query, await self._weights.of(typed), None)
        assert candidates is not None
        return _COUNTS.decode(await self._ask(queries.genre_counts_query(candidates))).counts("genres")

    async def revision(self, movie_id: str) -> int | None:
        if not storable(movie_id):
            return None
        found = _VERSIONS.decode(await self._ask(queries.version_query(movie_id))).hits.hits
        return found[0].version // 2 if found else None

    async def exists(self) -> bool:
        with translated():
            client = self._within_deadline()
            return bool((await client.indices.exists_alias(name=self._generations.live)).body)

    async def count(self) -> int:
        if self._writer is not None:
            await self._writer.ensure_index()
        total = _COUNTS.decode(await self._ask(queries.count_query())).hits.total
        return total.value if total else 0

    async def ping(self) -> None:
        """Raises `StoreUnavailable` if the cluster is not healthy or, for a writer, if the index does not exist."""
        with translated():
            await self._within_deadline().cluster.health(wait_for_status="yellow", timeout="2s")
        if self._writer is not None:
            await self._writer.ensure_index()
            if (await self._generations.existing()).live is None:
                raise StoreUnavailable(
                    f"The search index {self._generations.live} is gone: restart the search sync, which rebuilds it."
                )

    async def close(self) -> None:
        self._weights.close()
        await self._client.close()


def _ranked(
    typed: tuple[str, ...], weights: Sequence[float], hits: Sequence[Candidate]
) -> list[tuple[float, int, Candidate]]:
    """(negated score, order, hit), best first."""
    scores = ranking.scores(typed, weights, [hit.source.prepared for hit in hits])
    scored = [(-score, hit.sort[1], hit) for score, hit in zip(scores, hits, strict=True)]
    return sorted(scored, key=lambda hit: hit[:2])
