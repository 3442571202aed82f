"""Elasticsearch's answers, as far as somebody reads them: each is decoded from its bytes straight into its struct."""

from typing import Generic, TypeVar

import msgspec

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.ranking import Prepared

Hit = TypeVar("Hit")


class Total(msgspec.Struct):
    value: int = 0


class Hits(msgspec.Struct, Generic[Hit]):
    hits: list[Hit] = []
    total: Total | None = None


class Bucket(msgspec.Struct):
    key: str
    doc_count: int


class Buckets(msgspec.Struct):
    buckets: list[Bucket] = []


class Found(msgspec.Struct, Generic[Hit]):
    """The answer to a search."""

    hits: Hits[Hit]
    aggregations: dict[str, Buckets] = {}

    def counts(self, aggregation: str) -> dict[str, int]:
        """Empty also where there was no index to count in."""
        found = self.aggregations.get(aggregation, Buckets())
        return {bucket.key: bucket.doc_count for bucket in found.buckets}


class Source(msgspec.Struct):
    document: msgspec.Raw
    prepared: Prepared


class Candidate(msgspec.Struct):
    source: Source = msgspec.field(name="_source")
    sort: tuple[float, int]
    """Its score as a candidate, and its order among equals."""

    def document(self) -> SearchDocument:
        return _DOCUMENT.decode(self.source.document)


class Versioned(msgspec.Struct):
    movie_id: str = msgspec.field(name="_id")
    version: int = msgspec.field(name="_version")
    sort: list[int] = []


class Titled(msgspec.Struct):
    title: str


class TitledSource(msgspec.Struct):
    document: Titled


class Suggestion(msgspec.Struct):
    source: TitledSource = msgspec.field(name="_source")


class PointInTime(msgspec.Struct):
    id: str


class Reason(msgspec.Struct, frozen=True):
    type: str = ""
    reason: str | None = None


class Failure(msgspec.Struct):
    error: Reason | str = ""


class Written(msgspec.Struct):
    """What became of one change of a bulk; 409: what the index has is newer."""

    index: str = msgspec.field(name="_index")
    movie_id: str = msgspec.field(name="_id")
    status: int
    error: Reason = Reason()


class Bulk(msgspec.Struct):
    items: list[dict[str, Written]]


class Shards(msgspec.Struct):
    failed: int = 0


class Refreshed(msgspec.Struct):
    shards: Shards = msgspec.field(name="_shards")


class Acknowledged(msgspec.Struct):
    acknowledged: bool = False


class Aliases(msgspec.Struct):
    aliases: dict[str, object] = {}


_DOCUMENT = msgspec.json.Decoder(SearchDocument)
