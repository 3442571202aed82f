"""The contract of resume positions: where each viewer stopped in each title. The platform's most frequent write.

`user_id` is the profile's id. A position is in milliseconds and has its event's time. `precedence` decides which of two events
wins, so that the order of arrival does not matter. Hiding and forgetting are events like watching. No TTL. A write is on disk
when it is acknowledged. Every engine can store the same values (`require_storable`), so that positions can move between engines.
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
    """A viewer removed a title from the history. An older position that arrives later does not bring it back."""

    user_id: str
    movie_id: str
    event_time_ms: int


@dataclass(frozen=True)
class Hidden:
    """A viewer took a title out of continue watching. Its position stays for when it is played again, which shows it again.

    An older position that arrives later does not bring it back.
    """

    user_id: str
    movie_id: str
    position_ms: int
    event_time_ms: int


Event = ResumePosition | Hidden | Forgotten
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
        """Where the viewer stopped, also of a hidden title. None if there is no position or it was forgotten."""
        ...

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        """A viewer's positions in one read, newest event first; equal times are ordered by movie_id. Not the hidden ones."""
        ...

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        """The newest event of each title of a viewer, `Hidden` and `Forgotten` included, in any order."""
        ...

    async def erase(self, user_id: str) -> None:
        """Delete every event of a viewer: nothing says any more what was watched. A later write of the viewer is stored again."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class MovableResumePositions(ResumePositions, Protocol):
    """What every engine also offers, so that its positions can be moved to another engine while both are in use."""

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        """The stored events of these keys, `Hidden` and `Forgotten` included. A key without an event is not in the result."""
        ...

    def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        """All events of the store, in the engine's own order: at least those that were stored when the scan began.

        `after`: the cursor of an earlier scan's page. Raises `InputInvalid` for a cursor of another engine.
        """
        ...


def precedence(event: Event) -> tuple[int, int]:
    """Sort key: the event with the larger key wins.

    The newest; at equal times `Forgotten`, else `Hidden` with the smaller position, else the larger position.
    """
    stored = stored_value(event)
    if stored is None:
        return event.event_time_ms, 2**63 - 1
    return event.event_time_ms, stored + 2**62 if stored < 0 else stored


def stored_value(event: Event) -> int | None:
    """The one number that an engine stores of an event: the position; -2 - position if it is hidden; None if forgotten."""
    match event:
        case Forgotten():
            return None
        case Hidden():
            return -2 - event.position_ms
        case _:
            return event.position_ms


def event_of(user_id: str, movie_id: str, event_time_ms: int, stored: int | None) -> Event:
    """The event of a `stored_value`."""
    if stored is None:
        return Forgotten(user_id, movie_id, event_time_ms)
    if stored < 0:
        return Hidden(user_id, movie_id, -2 - stored, event_time_ms)
    return ResumePosition(user_id, movie_id, stored, event_time_ms)


def resumable(event: Event | None) -> ResumePosition | None:
    """Where to resume after this event: the position, hidden or not. None if it was forgotten."""
    if isinstance(event, Hidden):
        return ResumePosition(event.user_id, event.movie_id, event.position_ms, event.event_time_ms)
    return event if isinstance(event, ResumePosition) else None


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
    if not isinstance(event, Forgotten) and not 0 <= event.position_ms <= MAX_MS:
        raise InputInvalid(f"position_ms is {event.position_ms}; it has to be from 0 to {MAX_MS}.", field="position_ms")
