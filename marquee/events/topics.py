"""Every topic of the event log: its name, its number of streams, and the consumer groups that its trimming waits for.

A topic's key is the movie_id, so that the log keeps the order of one title's records; of viewing events it is the playback
session. The payloads are in `marquee.events.records` and `marquee.events.viewing`. The stream counts are those of one machine:
a stream is owned by one consumer at a time, so the count bounds how many consumers of a group can share a topic. Creation of
topics: `marquee.platform.preparation`; trimming: `marquee.ingest.retention`.
"""

from typing import Final

TRANSCODING_JOBS: Final = "transcoding-jobs"
"""Completed uploads: `UploadCompleted`. Read by Dagster's sensor, whose cursor is its position."""
CHUNK_JOBS: Final = "chunk-jobs"
"""Hints that the job queue has chunk jobs: `ChunkJobsQueued`. A lost hint costs at most one poll interval."""
METADATA_CHANGES: Final = "metadata-changes"
"""Changes of `title_document` in Debezium's own envelope, keyed by movie_id. Read by the search sync."""
CAPTURE_HEARTBEATS: Final = "capture-heartbeats"
"""Heartbeats of a Debezium that publishes by itself (`deploy/debezium`). They move its slot on; no process reads them."""
VIEWING_EVENTS: Final = "viewing-events"
"""What viewers and players do: `ViewingEvent`, keyed by playback session. Read by the event sink, which keeps its own position
beside what it wrote."""

TOPIC_STREAMS: Final[dict[str, int]] = {
    TRANSCODING_JOBS: 2,
    CHUNK_JOBS: 2,
    METADATA_CHANGES: 4,
    CAPTURE_HEARTBEATS: 1,
    VIEWING_EVENTS: 4,
}
"""Number of streams (Kafka: partitions) of each topic on one machine."""

SEARCH_SYNC_GROUP: Final = "search-sync"
TOPIC_GROUPS: Final[dict[str, tuple[str, ...]]] = {METADATA_CHANGES: (SEARCH_SYNC_GROUP,)}
"""The consumer groups that must acknowledge a topic's records before the records may be trimmed.

A group counts even while it has no position in the topic. It has none before its first read, and Kafka forgets the position
of a group that had no member for `offsets.retention.minutes` (7 days).
"""
