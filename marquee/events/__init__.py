"""The event log's topics (`topics`) and the payloads of their records (`records`).

Writers and readers import both from here. The rule that both rely on: a topic keeps order by key, and the key is the
movie_id, of viewing events the playback session. The engines that store the topics are in `marquee.stores.event_log`.
"""

from marquee.events.records import ChunkJobsQueued, TitleDocumentChange, UploadCompleted
from marquee.events.topics import (
    CAPTURE_HEARTBEATS,
    CHUNK_JOBS,
    METADATA_CHANGES,
    SEARCH_SYNC_GROUP,
    TOPIC_GROUPS,
    TOPIC_STREAMS,
    TRANSCODING_JOBS,
    VIEWING_EVENTS,
)
from marquee.events.viewing import EVENT_KINDS, EventKind, EventSource, ViewingEvent

__all__ = [
    "CAPTURE_HEARTBEATS",
    "CHUNK_JOBS",
    "EVENT_KINDS",
    "METADATA_CHANGES",
    "SEARCH_SYNC_GROUP",
    "TOPIC_GROUPS",
    "TOPIC_STREAMS",
    "TRANSCODING_JOBS",
    "VIEWING_EVENTS",
    "ChunkJobsQueued",
    "EventKind",
    "EventSource",
    "TitleDocumentChange",
    "UploadCompleted",
    "ViewingEvent",
]
