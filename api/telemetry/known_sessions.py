"""What a process remembers of the playback sessions that it hears from: the clock's offset, the events that may still come, the
watched time that was counted, and the state of the players that report by CMCD.

Nothing here is needed to accept an event: after a restart a session begins anew, with the offset of its next batch, a full
allowance, no watched time and a player whose state is not known. The gateway sends a session's reports to one process as long
as that process lives. With several hosts behind another balancer a session may send as many events to each process, and each lets
as much watched time pass; the Spark job bounds it again over all of a session's events (`jobs.spark.rules.folded`).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cachetools import LRUCache

from marquee.domain.cmcd import PlayerState
from marquee.domain.telemetry import Allowance, session_offset_ms, spend
from marquee.errors import TooManyRequests
from marquee.events import ViewingEvent

MAX_SESSIONS: Final = 50_000
"""The session that was silent longest is forgotten first."""


@dataclass
class KnownSession:
    """`turn`: one CMCD report after the other, since each begins at the state that the one before has left."""

    offset_ms: int | None = None
    allowance: Allowance | None = None
    watched_ms: int = 0
    """Counted so far."""
    players: dict[str, PlayerState] = field(default_factory=dict)
    """By CMCD's `sid`, the one that reported last at the end."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class KnownSessions:
    """`per_minute`: how many events one session may send. `clock`: monotonic seconds."""

    def __init__(self, *, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._sessions: LRUCache[str, KnownSession] = LRUCache(MAX_SESSIONS)

    def of(self, session_id: str) -> KnownSession:
        known = self._sessions.get(session_id)
        if known is None:
            known = self._sessions[session_id] = KnownSession()
        return known

    def spend(self, known: KnownSession, events: int) -> None:
        """Count these events. Raises `TooManyRequests`, and counts none of them, if they are more than the session has left."""
        known.allowance, wait_seconds = spend(known.allowance, events, per_minute=self._per_minute, now=self._clock())
        if wait_seconds:
            raise TooManyRequests(
                f"This session sends more than {self._per_minute} events a minute: none of these {events} was taken. "
                f"Send them again in {wait_seconds} s.",
                retry_after_seconds=wait_seconds,
            )

    def give_back(self, known: KnownSession, events: int) -> None:
        """These events were not stored: they will come again."""
        if known.allowance is not None:
            left = min(float(self._per_minute), known.allowance.left + events)
            known.allowance = Allowance(left, known.allowance.at)


def count_watched(
    known: KnownSession, events: Sequence[ViewingEvent], most_ms: int
) -> tuple[list[ViewingEvent], int, int]:
    """(the events, counted milliseconds, milliseconds left out): together no more is watched than `most_ms` of the session.

    Counted at once, so that two reports on their way do not count the same time. What is not stored is taken off again.
    """
    bounded, before, left_out = [], known.watched_ms, 0
    for event in events:
        if event.watched_ms:
            counted = min(event.watched_ms, max(0, most_ms - known.watched_ms))
            known.watched_ms += counted
            if counted < event.watched_ms:
                left_out += event.watched_ms - counted
                event = msgspec.structs.replace(event, watched_ms=counted)
        bounded.append(event)
    return bounded, known.watched_ms - before, left_out


def offset_of(known: KnownSession, sent_ms: float, received_ms: int) -> int:
    """The session's offset in milliseconds, with what this batch says of it."""
    known.offset_ms = session_offset_ms(known.offset_ms, received_ms - round(sent_ms))
    return known.offset_ms
