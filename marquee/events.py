"""What happened, as messages on the event log: topic names, keys and payloads.

Every topic's key is the movie_id (or the profile, for playback), so that order is kept by key. Payloads are
msgspec structs, encoded as JSON; unknown fields are ignored on reading, so that a newer writer does no harm.
"""

from typing import Final, Literal

import msgspec

TRANSCODING_JOBS: Final = "transcoding-jobs"
"""Completed uploads: `UploadCompleted`. Read by Dagster's sensor, whose cursor is its position."""
CHUNK_JOBS: Final = "chunk-jobs"
"""Hints that the job queue has chunk jobs: `ChunkJobsQueued`. Losing one delays nothing beyond a poll."""
METADATA_CHANGES: Final = "metadata-changes"
"""Changes of `title_document` in Debezium's own envelope, keyed by movie_id. Read by the search sync."""
CAPTURE_HEARTBEATS: Final = "capture-heartbeats"
"""What a Debezium that publishes by itself (`deploy/debezium`) says so that its slot moves on; nobody reads it."""

TOPIC_STREAMS: Final[dict[str, int]] = {TRANSCODING_JOBS: 2, CHUNK_JOBS: 2, METADATA_CHANGES: 4, CAPTURE_HEARTBEATS: 1}
"""Streams (partitions) of each topic on one machine."""

SEARCH_SYNC_GROUP: Final = "search-sync"
TOPIC_GROUPS: Final[dict[str, tuple[str, ...]]] = {METADATA_CHANGES: (SEARCH_SYNC_GROUP,)}
"""The consumer groups that must have acknowledged a topic's records before these may be trimmed, also while the group has no
place: it has not begun, or Kafka has forgotten it, which it does after `offsets.retention.minutes` (7 days) without a member.
"""


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
