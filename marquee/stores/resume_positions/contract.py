"""The contract of resume positions: where each viewer stopped in each title. The platform's most frequent write.

`user_id` is the profile's id. A position is in milliseconds and has its event's time. `precedence` decides which of two events
wins, so that the order of arrival does not matter. Forgetting is an event like watching. No TTL. A write is on disk when it is
acknowledged. Every engine can store the same values (`require_storable`), so that positions can move between engines.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from marquee.errors import InputInvalid

MAX_MS: Final = 2**53 - 1
"""Largest position and event time. Exact in JSON, and every engine can store it, in microseconds too."""
MAX_ID_BYTES: Final = 256


@dataclass(frozen=True)
class ResumePosition:
    """A viewer watched a title up to `position_ms`."""

    user_id: str
    movie_id: str
    position_ms: int
    event_time_ms: int
    """The server's clock minus the age that the client states. The caller clamps it, so that it is never in the future."""


@dataclass(frozen=True)
class Forgotten:
    """A viewer removed a title from continue watching. An older position that arrives later does not bring it back."""

    user_id: str
    movie_id: str
    event_time_ms: int


Event = ResumePosition | Forgotten
Key = tuple[str, str]
"""(user_id, movie_id)"""


@dataclass(frozen=True)
class Page:
    """A page of a scan. A scan `after` its cursor gives every later event, and may repeat some events of this page."""

    events: Sequence[Event]
    cursor: str


class ResumePositions(Protocol):
    """What the API needs. Every call may raise `StoreUnavailable`, and a write `InputInvalid`."""

    async def record(self, event: Event) -> None:
        """Store this event, unless the stored one wins over it. On disk when this returns."""
        ...

    async def record_many(self, events: Sequence[Event]) -> None:
        """Store several events. When it raises, some of them may have been stored."""
        ...

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        """None if there is no position or it was forgotten."""
        ...

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        """A viewer's positions in one read, newest event first; equal times are ordered by movie_id."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class MovableResumePositions(ResumePositions, Protocol):
    """What every engine also offers, so that its positions can be moved to another engine while both are in use."""

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        """The stored events of these keys, `Forgotten` included. A key without an event is not in the result."""
        ...

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        """All stored events of a viewer, `Forgotten` included, in any order."""
        ...

    def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        """All events of the store, in the engine's own order: at least those that were stored when the scan began.

        `after`: the cursor of an earlier scan's page. Raises `InputInvalid` for a cursor of another engine.
        """
        ...


def precedence(event: Event) -> tuple[int, int]:
    """Sort key: the event with the larger key wins. The newest; at equal times `Forgotten`, else the larger position."""
    return event.event_time_ms, event.position_ms if isinstance(event, ResumePosition) else MAX_MS + 1


def newest(events: Sequence[Event]) -> Sequence[Event]:
    """The winning event of each key, in the order in which the keys first appear."""
    kept: dict[Key, Event] = {}
    for event in events:
        known = kept.get(key_of(event))
        if known is None or precedence(event) > precedence(known):
            kept[key_of(event)] = event
    return list(kept.values())


def newest_first(events: Sequence[Event], *, limit: int) -> Sequence[ResumePosition]:
    """Continue watching out of a viewer's events (one for each title): at most `limit` positions, newest event first."""
    positions = [event for event in events if isinstance(event, ResumePosition)]
    return sorted(positions, key=lambda position: (-position.event_time_ms, position.movie_id))[:limit]


def key_of(event: Event) -> Key:
    """(user_id, movie_id) of an event."""
    return event.user_id, event.movie_id


def require_storable(event: Event) -> None:
    """Raises `InputInvalid`, naming the field, for an event that some engine cannot store."""
    for field, value in (("user_id", event.user_id), ("movie_id", event.movie_id)):
        try:
            length = len(value.encode())
        except UnicodeEncodeError as error:
            raise InputInvalid(
                f"{field} contains characters that are not Unicode; remove them.", field=field
            ) from error
        if not 1 <= length <= MAX_ID_BYTES or "\0" in value:
            raise InputInvalid(
                f"{field} has {length} bytes or a NUL; it has to have 1 to {MAX_ID_BYTES} bytes and no NUL.",
                field=field,
            )
    if not 0 <= event.event_time_ms <= MAX_MS:
        raise InputInvalid(
            f"event_time_ms is {event.event_time_ms}; it has to be from 0 to {MAX_MS}.", field="event_time_ms"
        )
    if isinstance(event, ResumePosition) and not 0 <= event.position_ms <= MAX_MS:
        raise InputInvalid(f"position_ms is {event.position_ms}; it has to be from 0 to {MAX_MS}.", field="position_ms")
