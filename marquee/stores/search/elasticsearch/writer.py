"""Writes the search index on Elasticsearch: versioned changes, and rebuilds. Any number of processes may write.

Each change carries its version (see `versions`), and Elasticsearch refuses a version that is not newer. So several writers,
repeats and disorder do no harm. `apply` writes to the live generation and to one that is being built, then asks again which
generations exist, and writes to new ones. So every generation that is searched later has the change: either `apply` wrote it,
or the rebuild began after the change and read it from the catalogue. A batch is on disk and searchable when `apply` returns.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

import msgspec
from elasticsearch import AsyncElasticsearch

from marquee.documents import SearchDocument
from marquee.errors import InputInvalid, MarqueeError, StoreUnavailable
from marquee.stores.search.contract import Deletion
from marquee.stores.search.elasticsearch.answers import (
    BulkAnswer,
    PointInTime,
    RefreshAnswer,
    SearchAnswer,
    VersionedHit,
)
from marquee.stores.search.elasticsearch.client import WRITE_SECONDS, outlast, translated
from marquee.stores.search.elasticsearch.generations import Generations
from marquee.stores.search.elasticsearch.mapping import bulk_action, to_source
from marquee.stores.search.elasticsearch.query import DELETED
from marquee.stores.search.versions import Change, newest

REBUILD_BATCH: Final = 1000
MAX_ROUNDS: Final = 5
"""How often `apply` asks which generations exist before it gives up."""
RESTART_RETRY_SECONDS: Final = 60.0
"""How long a rebuild repeats a batch while the cluster restarts."""
SCAN_KEEP_ALIVE: Final = "1m"
"""How long Elasticsearch keeps the point in time of a scan between two requests."""


class GenerationGone(Exception):
    """The alias that was written to names no index any more, because a rebuild has just moved it."""


class IndexWriter:
    """Applies changes and rebuilds; see the module. Every call raises `StoreUnavailable` when the cluster is down."""

    def __init__(self, client: AsyncElasticsearch, generations: Generations) -> None:
        self._client = client.options(request_timeout=WRITE_SECONDS)
        self._generations = generations
        self._index_is_ensured = False

    async def ensure_index(self) -> None:
        """Create the index if it is new, once for each process. An index that is lost later is rebuilt by a new process."""
        if not self._index_is_ensured:
            await self._generations.ensure_live()
            self._index_is_ensured = True

    async def apply(self, changes: Sequence[Change]) -> int:
        """Apply changes to every generation. Returns how many were accepted. Raises `InputInvalid`, `StoreUnavailable`."""
        await self.ensure_index()
        if not changes:
            return 0
        lines = await asyncio.to_thread(_bulk_lines, newest(changes))
        accepted: dict[str, int] = {}
        for _ in range(MAX_ROUNDS):
            existing = await self._generations.existing()
            if existing.live is None:
                raise StoreUnavailable(
                    f"The search index {self._generations.live} is gone: restart the search sync, which rebuilds it."
                )
            written = {self._generations.live: existing.live}
            if existing.building is not None:
                written[self._generations.building] = existing.building
            missing = [alias for alias, index in written.items() if index not in accepted]
            if not missing:
                await self._refresh(list(written.values()))
                return next(iter(accepted.values()))
            for alias in missing:
                try:
                    index, count = await self._bulk(alias, lines)
                except GenerationGone:
                    break
                accepted[index] = count
        raise StoreUnavailable(
            "The search index was rebuilt several times while a batch was written; try again when the rebuilds have ended."
        )

    async def _bulk(self, alias: str, lines: Sequence[bytes]) -> tuple[str, int]:
        """Write a batch. Returns the index that the alias names, and how many changes it accepted.

        Raises `GenerationGone`, and `InputInvalid` for a title that the index cannot hold.
        """
        with translated():
            answer = await self._client.bulk(
                index=alias,
                operations=lines,  # type: ignore[arg-type]  # bytes are sent unchanged
                require_alias=True,
                filter_path="items.index._index,items.index._id,items.index.status,items.index.error",
            )
        items = [item["index"] for item in msgspec.json.decode(answer.body, type=BulkAnswer).items]
        for item in items:
            if item.status == 404:
                raise GenerationGone(alias)
            if item.status == 400:
                raise InputInvalid(f"The search index cannot hold the title {item.movie_id}: {item.error.reason}")
            if item.status not in (200, 201, 409):
                raise StoreUnavailable(
                    f"Elasticsearch did not accept a change of {item.movie_id}: {item.status}, {item.error.reason}"
                )
        return items[0].index, sum(item.status != 409 for item in items)

    async def _refresh(self, indices: Sequence[str]) -> None:
        with translated():
            answer = await self._client.indices.refresh(index=indices, ignore_unavailable=True)
        if msgspec.json.decode(answer.body, type=RefreshAnswer).shards.failed:
            raise StoreUnavailable(
                "The written changes are not searchable yet: a replica of the index did not answer; try again in a moment."
            )

    # --- rebuild -----------------------------------------------------------------------------------------
    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> None:
        """Fill a new generation and swap to it.

        Raises `RebuildOvertaken` at the next batch, or at the swap, after a newer rebuild began.
        """
        generation = await self._generations.begin()
        try:
            async for batch in _batches(documents):
                await self._fill(generation, batch)
            await self._carry_over_deleted(generation)
            await self._refresh([generation])
            await self._generations.make_live(generation)
        except BaseException:
            await self._remove_failed(generation)
            raise

    async def _fill(self, generation: str, batch: Sequence[Change]) -> None:
        lines = await asyncio.to_thread(_bulk_lines, batch)
        try:
            index, _ = await outlast(
                lambda: self._bulk(self._generations.building, lines), seconds=RESTART_RETRY_SECONDS
            )
        except GenerationGone:
            index = None
        if index != generation:
            raise self._generations.overtaken()

    async def _carry_over_deleted(self, generation: str) -> None:
        """Copy the deletions of the live generation, so that a late older change cannot bring a title back."""
        existing = await self._generations.existing()
        if existing.live is None:
            return
        await self._refresh([existing.live])
        with translated():
            answer = await self._client.open_point_in_time(index=existing.live, keep_alive=SCAN_KEEP_ALIVE)
        scan = msgspec.json.decode(answer.body, type=PointInTime).id
        try:
            after: list[int] | None = None
            while deleted := await self._deleted_titles(scan, after):
                await self._fill(generation, [Deletion(each.movie_id, each.version // 2) for each in deleted])
                after = deleted[-1].sort
        finally:
            with translated():
                await self._client.close_point_in_time(id=scan)

    async def _deleted_titles(self, scan: str, after: list[int] | None) -> list[VersionedHit]:
        with translated():
            answer = await self._client.search(
                pit={"id": scan, "keep_alive": SCAN_KEEP_ALIVE},
                query=DELETED,
                sort=["_shard_doc"],
                size=REBUILD_BATCH,
                version=True,
                source=False,
                search_after=after,
            )
        return msgspec.json.decode(answer.body, type=SearchAnswer[VersionedHit]).hits.hits

    async def _remove_failed(self, generation: str) -> None:
        try:
            await self._generations.remove_building(generation)
        except MarqueeError:
            return  # the next rebuild removes it


def _bulk_lines(changes: Collection[Change]) -> list[bytes]:
    """The lines of a bulk. Raises `InputInvalid` for a value that JSON cannot hold, such as a number of more than 64 bits."""
    lines = []
    for change in changes:
        try:
            lines += [msgspec.json.encode(bulk_action(change)), msgspec.json.encode(to_source(change))]
        except (ValueError, OverflowError) as error:
            raise InputInvalid(f"The search index cannot hold the title {change.movie_id}: {error}") from error
    return lines


async def _batches(documents: AsyncIterator[SearchDocument]) -> AsyncIterator[list[SearchDocument]]:
    batch: list[SearchDocument] = []
    async for document in documents:
        batch.append(document)
        if len(batch) == REBUILD_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
