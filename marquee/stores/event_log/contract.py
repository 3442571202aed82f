"""The event log's contract: what happened, in order by key, at least once.

A topic is N streams (Kafka: partitions); a record's stream is decided by its key, and within a consumer group each
stream is owned by one consumer at a time. A record is delivered again until it is acknowledged, so handlers are idempotent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

SETTING: Final = "MARQUEE_EVENT_LOG_URL"
MAX_LEASE_SECONDS: Final = 1800.0
"""A Kafka broker refuses more unless it is told otherwise (`group.max.session.timeout.ms`); the same on both engines."""

MAX_RECORD_BYTES = 900_000
"""Larger values are refused with `InputInvalid`: a message names an object, it does not carry one."""
MAX_BATCH_RECORDS = 1000
"""Of `publish_many`, whose values together have at most MAX_RECORD_BYTES."""


@dataclass(frozen=True)
class Record:
    """One message. `position` grows within (topic, stream) and is opaque.

    `deliveries` counts from 1 over all members of the group, those that died with the record in hand too.
    """

    topic: str
    stream: int
    position: str
    key: str
    value: bytes
    published_at_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)
    deliveries: int = 1


class Consumer(Protocol):
    """A member of a consumer group; it owns some of the topic's streams. Used by one task at a time."""

    async def poll(self, *, limit: int = 100, timeout_seconds: float = 1.0) -> Sequence[Record]:
        """The next records of the owned streams, in order by stream; empty after the time-out."""
        ...

    async def acknowledge(self, records: Sequence[Record]) -> None:
        """Never deliver these again to this group, in whatever order they are acknowledged; durable when it returns.

        If a stream has a new owner by now (this member fell silent), the new owner may have been given them too. After
        `StoreUnavailable` they are still unacknowledged: repeat the call, or `rewind` before the next `poll`, which would
        give the records that follow.
        """
        ...

    async def dead_letter(self, record: Record, reason: str) -> None:
        """Move a record that cannot be handled to `{topic}.dead` with its reason, then acknowledge it."""
        ...

    async def rewind(self) -> None:
        """Deliver again, in order, what was delivered and not acknowledged. For a handler that failed and may be retried.

        Otherwise these records come again only when their stream changes hands.
        """
        ...

    async def pause(self) -> None:
        """Keep the streams, but deliver nothing."""
        ...

    async def resume(self) -> None: ...

    async def close(self) -> None:
        """Give the streams up at once, so that another consumer takes over without waiting for a time-out.

        A `poll` under way ends with nothing or with `StoreUnavailable`, as later ones do.
        """
        ...


class EventLog(Protocol):
    async def ensure_topic(self, topic: str, *, streams: int) -> None:
        """Create the topic if it is missing; idempotent. The topics of `marquee.events` need no call.

        An existing topic keeps its number of streams.
        """
        ...

    async def publish(self, topic: str, key: str, value: bytes, *, headers: Mapping[str, str] | None = None) -> Record:
        """Append; durable when it returns. Raises `InputInvalid` past MAX_RECORD_BYTES."""
        ...

    async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Append these (key, value) in one round trip; all are durable when it returns. Records of one key keep their order.

        Raises `InputInvalid`, and has appended nothing, past MAX_BATCH_RECORDS or MAX_RECORD_BYTES in all. After
        `StoreUnavailable` some of them may be stored: whoever repeats the call may store them twice.
        """
        ...

    async def subscribe(self, topic: str, group: str) -> Consumer:
        """Join a group. A new group starts at the topic's beginning."""
        ...

    async def read(
        self, topic: str, cursor: str | None, *, limit: int = 100, by_time: bool = True
    ) -> tuple[Sequence[Record], str]:
        """Read without a group, from a cursor that the caller keeps (None: the beginning); returns the next cursor.

        The records come by time over all streams. Without `by_time` they come stream by stream, each stream in its order, and
        `limit` is shared by the streams that have more: cheaper, as nothing is fetched to be left out.
        Raises `CursorInvalid` for one that is not this engine's.
        """
        ...

    async def cursor_at(self, topic: str, published_at_ms: int) -> str:
        """The cursor from which `read` replays everything published at or after a time."""
        ...

    async def lag(self, topic: str, group: str) -> int:
        """Records of the topic that the group has not acknowledged."""
        ...

    async def trim(
        self, topic: str, *, older_than_ms: int, needed_by: Collection[str] = (), read_to: str | None = None
    ) -> int:
        """Retention: drop the records that are older than an age and acknowledged by every group; returns how many.

        Only groups that have a place in the topic count. If a group of `needed_by` has none yet, nothing is dropped. Nothing
        past the cursor `read_to` is dropped: for a reader without a group. Raises `CursorInvalid` as `read` does.
        """
        ...

    async def count(self, topic: str) -> int:
        """Records that the topic holds."""
        ...

    async def trim_to(self, topic: str, *, records: int) -> int:
        """Drop the oldest records, also those that somebody still needs; returns how many.

        Each stream keeps its equal share of `records`, so the topic holds at most so many afterwards.
        """
        ...

    async def ping(self) -> None:
        """One round trip; raises `StoreUnavailable`."""
        ...

    async def close(self) -> None:
        """Also closes its consumers that are still open."""
        ...
