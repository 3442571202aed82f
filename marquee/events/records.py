"""The payloads of the event log's records: one msgspec struct for each kind of record.

A payload is stored as JSON. Reading ignores unknown fields, so a newer release may add a field while an older release still
reads the topic. The topics that carry them are in `marquee.events.topics`.
"""

from typing import Literal

import msgspec


class UploadCompleted(msgspec.Struct, frozen=True, tag=True):
    """All parts of an upload are stored and verified; the ingest chain may start."""

    upload_id: str
    movie_id: str
    version: int
    hot: bool
    completed_at_ms: int


class ChunkJobsQueued(msgspec.Struct, frozen=True, tag=True):
    """`count` chunk jobs of a title were queued; a hint to claim, not a claim."""

    movie_id: str
    version: int
    count: int


class TitleDocumentChange(msgspec.Struct, frozen=True):
    """The part of Debezium's envelope (`payload`) that the search sync reads.

    `op` is c, u, d or r (snapshot); `before`/`after` are rows of `title_document`; `ts_ms` is Debezium's clock.
    """

    op: Literal["c", "u", "d", "r"]
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None
    source: dict[str, object] | None = None
    ts_ms: int | None = None
