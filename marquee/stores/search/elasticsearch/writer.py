"""Writing the search index on Elasticsearch: versioned changes, and a rebuild beside. Any number of processes may.

Each change carries its version (see `versions`), and Elasticsearch refuses what is not newer, so that several writers,
repeats and disorder do no harm. A writer writes to the live generation and to one that is being built, then looks again, and
writes to what has appeared meanwhile: so a change is in every generation that may be searched later, or it was in the catalogue
before the rebuild, which reads only when its generation stands. A batch is on disk and searchable when it returns.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

import msgspec
from elasticsearch import AsyncElasticsearch

from marquee.documents import SearchDocument
from marquee.errors import InputInvalid, MarqueeError, StoreUnavailable
from marquee.stores.search.contract import Deletion
from marquee.stores.search.elasticsearch.answers import Bulk, Found, PointInTime, Refreshed, Versioned
from marquee.stores.search.elasticsearch.client import WRITE_SECONDS, outlast, translated
from marquee.stores.search.elasticsearch.generations import Generations
from marquee.stores.search.elasticsearch.mapping import operation, to_source
from marquee.stores.search.elasticsearch.query import DEAD
from marquee.stores.search.versions import Change, newest

REBUILD_BATCH: Final = 1000
LOOKS: Final = 5
OUTAGE_SECONDS: Final = 60.0
"""How long a rebuild waits for a cluster that restarts."""
SCAN_KEPT: Final = "1m"


class GenerationGone(Exception):
    """The alias that was written to names nothing any more: a rebuild has just moved it."""


class IndexWriter:
    def __init__(self, client: AsyncElasticsearch, generations: Generations) -> None:
        self._client = client.options(request_timeout=WRITE_SECONDS)
        self._generations = generations
        self._ensured = False

    async def ensure(self) -> None:
        """Once: an index that is new is made. One that is lost later is not made again, but rebuilt by a new process."""
        if not self._ensured:
            await self._generations.ensure_live()
            self._ensured = True

    async def apply(self, changes: Sequence[Change]) -> int:
        await self.ensure()
        if not changes:
            return 0
        lines = await asyncio.to_thread(_lines, newest(changes))
        accepted: dict[str, int] = {}
        for _ in range(LOOKS):
            standing = await self._generations.standing()
            if standing.live is None:
                raise StoreUnavailable(f"The search index {self._generations.live} is gone.")
            written = {self._generations.live: standing.live}
            if standing.building is not None:
                written[self._generations.building] = standing.building
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
            "The search index is rebuilt again and again, and a batch found no generation to stay in."
        )

    async def _bulk(self, alias: str, lines: Sequence[bytes]) -> tuple[str, int]:
        """The index that an alias names, and how many changes it accepted. Raises `GenerationGone`, `InputInvalid`."""
        with translated():
            answer = await self._client.bulk(
                index=alias,
                operations=lines,  # type: ignore[arg-type]  # bytes go as they are
                require_alias=True,
                filter_path="items.index._index,items.index._id,items.index.status,items.index.error",
            )
        items = [item["index"] for item in msgspec.json.decode(answer.body, type=Bulk).items]
        for item in items:
            if item.status == 404:
                raise GenerationGone(alias)
            if item.status == 400:
                raise InputInvalid(f"The search index cannot hold the title {item.movie_id}: {item.error.reason}")
            if item.status not in (200, 201, 409):
                raise StoreUnavailable(f"Elasticsearch did not take a change: {item.status}, {item.error.reason}")
        return items[0].index, sum(item.status != 409 for item in items)

    async def _refresh(self, indices: Sequence[str]) -> None:
        with translated():
            answer = await self._client.indices.refresh(index=indices, ignore_unavailable=True)
        if msgspec.json.decode(answer.body, type=Refreshed).shards.failed:
            raise StoreUnavailable("What was written is not searchable yet: a copy of the index did not answer.")

    # --- rebuild -----------------------------------------------------------------------------------------
    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> None:
        """Raises `RebuildOvertaken` at the batch, or the swap, by which a newer rebuild has begun."""
        generation = await self._generations.begin()
        try:
            async for batch in _batches(documents):
                await self._fill(generation, batch)
            await self._carry_over_deleted(generation)
            await self._refresh([generation])
            await self._generations.make_live(generation)
        except BaseException:
            await self._give_up(generation)
            raise

    async def _fill(self, generation: str, batch: Sequence[Change]) -> None:
        lines = await asyncio.to_thread(_lines, batch)
        try:
            index, _ = await outlast(lambda: self._bulk(self._generations.building, lines), seconds=OUTAGE_SECONDS)
        except GenerationGone:
            index = None
        if index != generation:
            raise self._generations.overtaken()

    async def _carry_over_deleted(self, generation: str) -> None:
        """What the live generation knows to be deleted, the new one must know too."""
        standing = await self._generations.standing()
        if standing.live is None:
            return
        await self._refresh([standing.live])
        with translated():
            answer = await self._client.open_point_in_time(index=standing.live, keep_alive=SCAN_KEPT)
        scan = msgspec.json.decode(answer.body, type=PointInTime).id
        try:
            after: list[int] | None = None
            while dead := await self._dead(scan, after):
                await self._fill(generation, [Deletion(each.movie_id, each.version // 2) for each in dead])
                after = dead[-1].sort
        finally:
            with translated():
                await self._client.close_point_in_time(id=scan)

    async def _dead(self, scan: str, after: list[int] | None) -> list[Versioned]:
        with translated():
            answer = await self._client.search(
                pit={"id": scan, "keep_alive": SCAN_KEPT},
                query=DEAD,
                sort=["_shard_doc"],
                size=REBUILD_BATCH,
                version=True,
                source=False,
                search_after=after,
            )
        return msgspec.json.decode(answer.body, type=Found[Versioned]).hits.hits

    async def _give_up(self, generation: str) -> None:
        try:
            await self._generations.give_up(generation)
        except MarqueeError:
            return  # the next rebuild removes it


def _lines(changes: Collection[Change]) -> list[bytes]:
    """Raises `InputInvalid` for what no line can say, such as a number of more than 64 bits."""
    lines = []
    for change in changes:
        try:
            lines += [msgspec.json.encode(operation(change)), msgspec.json.encode(to_source(change))]
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
