"""Where each viewer stopped in each title: the hottest write of the platform.

`user_id` is the profile's id. One value column (fixed-width milliseconds) and its event time; `precedence` says which event
wins, whatever the order of arrival. Forgetting is an event like watching. No TTL. A write is durable when acknowledged.
Every engine stores the same values (`require_storable`), so that all of them can move from one to another.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from marquee.errors import InputInvalid

MAX_MS: Final = 2**53 - 1
"""Largest position and event time: in every engine, in JSON, and in microseconds too."""
MAX_ID_BYTES: Final = 256


@dataclass(frozen=True)
class ResumePosition:
    user_id: str
    movie_id: str
    position_ms: int
    event_time_ms: int
    """Server's clock less the client's stated age; never in the future (the caller clamps)."""


@dataclass(frozen=True)
class Forgotten:
    """A viewer's wish that a title's position be forgotten: what is older and arrives later does not bring it back."""

    user_id: str
    movie_id: str
    event_time_ms: int


Event = ResumePosition | Forgotten
Key = tuple[str, str]
"""(user_id, movie_id)"""


@dataclass(frozen=True)
class Page:
    """A piece of a store. A scan `after` the cursor gives everything behind the piece, and perhaps some of it again."""

    events: Sequence[Event]
    cursor: str


class ResumePositions(Protocol):
    """What the platform asks for. Every call raises `StoreUnavailable`; writes raise `InputInvalid`."""

    async def record(self, event: Event) -> None:
        """Keep this event unless one that goes before it is stored; durable on return."""
        ...

    async def record_many(self, events: Sequence[Event]) -> None:
        """The same for several at once. When it raises, some may have been kept."""
        ...

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None: ...

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        """A viewer's positions in one read, newest event first, those of one moment in the order of their movie_id."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class MovableResumePositions(ResumePositions, Protocol):
    """What an engine offers besides, so that its positions can be moved to another while both are in use."""

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        """What is kept for these keys, forgotten ones included; nothing for a key without an event."""
        ...

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        """Everything that is kept of a viewer, forgotten ones included, in no particular order."""
        ...

    def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        """Everything in the store, in the engine's own order: at least what was there when the scan began.

        `after`: the cursor of a page of an earlier scan. Raises `InputInvalid` for one of another engine.
        """
        ...


def precedence(event: Event) -> tuple[int, int]:
    """The larger one wins: the newest event; of one moment forgetting, else the larger position."""
    return event.event_time_ms, event.position_ms if isinstance(event, ResumePosition) else MAX_MS + 1


def newest(events: Sequence[Event]) -> Sequence[Event]:
    """Of each key the event that wins, in the order in which the keys come first."""
    kept: dict[Key, Event] = {}
    for event in events:
        known = kept.get(key_of(event))
        if known is None or precedence(event) > precedence(known):
            kept[key_of(event)] = event
    return list(kept.values())


def newest_first(events: Sequence[Event], *, limit: int) -> Sequence[ResumePosition]:
    """What continue watching shows of a viewer's events, one a title."""
    positions = [event for event in events if isinstance(event, ResumePosition)]
    return sorted(positions, key=lambda position: (-position.event_time_ms, position.movie_id))[:limit]


def key_of(event: Event) -> Key:
    return event.user_id, event.movie_id


def require_storable(event: Event) -> None:
    """Raises `InputInvalid`, naming the field, for an event that not every engine can keep."""
    for field, value in (("user_id", event.user_id), ("movie_id", event.movie_id)):
        try:
            length = len(value.encode())
        except UnicodeEncodeError as error:
            raise InputInvalid(f"{field} holds characters that are not Unicode.", field=field) from error
        if not 1 <= length <= MAX_ID_BYTES or "\0" in value:
            raise InputInvalid(f"{field} has 1 to {MAX_ID_BYTES} bytes and no NUL.", field=field)
    if not 0 <= event.event_time_ms <= MAX_MS:
        raise InputInvalid(f"event_time_ms lies from 0 to {MAX_MS}.", field="event_time_ms")
    if isinstance(event, ResumePosition) and not 0 <= event.position_ms <= MAX_MS:
        raise InputInvalid(f"position_ms lies from 0 to {MAX_MS}.", field="position_ms")
