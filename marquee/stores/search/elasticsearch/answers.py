"""The parts of Elasticsearch's answers that the index reads, as msgspec structs.

Each answer is decoded from its bytes directly into its struct; fields that the index does not read are skipped. The names of
the fields are Elasticsearch's own (`hits`, `_source`, `buckets`).
"""

from typing import Generic, TypeVar

import msgspec

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.ranking import Prepared

Hit = TypeVar("Hit")


class Total(msgspec.Struct):
    """Number of documents that a search found."""

    value: int = 0


class Hits(msgspec.Struct, Generic[Hit]):
    """The documents of an answer, and how many were found in all if the request counted them."""

    hits: list[Hit] = []
    total: Total | None = None


class Bucket(msgspec.Struct):
    """One value of a terms aggregation, and how many documents have it."""

    key: str
    doc_count: int


class Buckets(msgspec.Struct):
    """The result of a terms aggregation."""

    buckets: list[Bucket] = []


class SearchAnswer(msgspec.Struct, Generic[Hit]):
    """The answer to a search request."""

    hits: Hits[Hit]
    aggregations: dict[str, Buckets] = {}

    def counts(self, aggregation: str) -> dict[str, int]:
        """Key -> number of documents of a terms aggregation; empty if there is no index."""
        found = self.aggregations.get(aggregation, Buckets())
        return {bucket.key: bucket.doc_count for bucket in found.buckets}


class Source(msgspec.Struct):
    """What the index stores of a title (see `mapping`). The whole title is decoded only if it is on the page."""

    document: msgspec.Raw
    prepared: Prepared


class Candidate(msgspec.Struct):
    """A hit of a candidates query."""

    source: Source = msgspec.field(name="_source")
    sort: tuple[float, int]
    """(candidate score, order): the order decides between equal scores."""

    def document(self) -> SearchDocument:
        return _DOCUMENT.decode(self.source.document)


class VersionedHit(msgspec.Struct):
    """A hit without its source. `version` is that of `versions`."""

    movie_id: str = msgspec.field(name="_id")
    version: int = msgspec.field(name="_version")
    sort: list[int] = []


class TitleOnly(msgspec.Struct):
    title: str


class TitleOnlySource(msgspec.Struct):
    document: TitleOnly


class Suggestion(msgspec.Struct):
    """A hit of a completion query: the title's name only."""

    source: TitleOnlySource = msgspec.field(name="_source")


class PointInTime(msgspec.Struct):
    """A view of an index that does not change while it is scanned."""

    id: str


class Reason(msgspec.Struct, frozen=True):
    """Why a request failed. `type` is Elasticsearch's name, such as index_not_found_exception."""

    type: str = ""
    reason: str | None = None


class ErrorAnswer(msgspec.Struct):
    """The body of an answer with an error status."""

    error: Reason | str = ""


class BulkItem(msgspec.Struct):
    """The result of one change of a bulk. Status 409: the index has the same or a newer version."""

    index: str = msgspec.field(name="_index")
    movie_id: str = msgspec.field(name="_id")
    status: int
    error: Reason = Reason()


class BulkAnswer(msgspec.Struct):
    """The answer to a bulk: one item for each change, in their order, under the key `index`."""

    items: list[dict[str, BulkItem]]


class Shards(msgspec.Struct):
    """How many shards did not do what was asked."""

    failed: int = 0


class RefreshAnswer(msgspec.Struct):
    shards: Shards = msgspec.field(name="_shards")


class Acknowledged(msgspec.Struct):
    acknowledged: bool = False


class IndexAliases(msgspec.Struct):
    """The aliases of one index: name -> its options."""

    aliases: dict[str, object] = {}


_DOCUMENT = msgspec.json.Decoder(SearchDocument)
