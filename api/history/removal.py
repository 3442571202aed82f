"""What a viewer removes: a title from continue watching, a title from the history, the whole history. The first two have an undo.

Out of continue watching a title keeps its place in the history and its position, and comes back when it is played. Out of the
history it loses both. A removal is an event with a time: progress that was sent before it and arrives after it changes
nothing. The answer has an `undo`: what was removed, signed for the profile, valid for `UNDO_SECONDS`.
"""

import time
from datetime import UTC, datetime
from typing import Final

import msgspec
from itsdangerous import BadData, URLSafeTimedSerializer

from api.auth.tokens import Caller
from api.history.noted import NotedTitles
from api.history.schemas import Removed
from marquee.errors import InputInvalid
from marquee.settings import Settings
from marquee.stores.history.contract import WatchedTitle, WatchHistory
from marquee.stores.resume_positions.contract import (
    Event,
    Forgotten,
    Hidden,
    ResumePosition,
    ResumePositions,
    resumable,
)

UNDO_SECONDS: Final = 15 * 60


class _Undo(msgspec.Struct, frozen=True, array_like=True):
    """What an undo brings back."""

    movie_id: str
    removed_at_ms: int
    position_ms: int | None
    first_watched_at: datetime | None = None
    last_watched_at: datetime | None = None


class RemovalService:
    """What the `DELETE`s of `/history` and `/rows/continue-watching` do."""

    def __init__(
        self, resume_positions: ResumePositions, history: WatchHistory, noted: NotedTitles, settings: Settings
    ) -> None:
        self._resume_positions = resume_positions
        self._history = history
        self._noted = noted
        self._secret = settings.cursor_secret.get_secret_value()

    async def hide(self, caller: Caller, movie_id: str) -> Removed:
        """Take a title out of continue watching. Raises `StoreUnavailable`."""
        at_ms = _now_ms()
        position = await self._resume_positions.get(caller.profile_id, movie_id)
        if position is not None:
            await self._resume_positions.record(Hidden(caller.profile_id, movie_id, position.position_ms, at_ms))
        return self._removed(caller, _Undo(movie_id, at_ms, position.position_ms if position else None))

    async def forget(self, caller: Caller, movie_id: str) -> Removed:
        """Take a title out of the history and forget its position. Raises `StoreUnavailable`."""
        at_ms = _now_ms()
        position = await self._resume_positions.get(caller.profile_id, movie_id)
        watched = await self._history.get(caller.profile_id, movie_id)
        # The position first: a call that is cut short is repeated by the viewer, who still sees the title in the history.
        await self._resume_positions.record(Forgotten(caller.profile_id, movie_id, at_ms))
        await self._history.forget(caller.profile_id, movie_id, _moment(at_ms))
        self._noted.drop(caller.profile_id, movie_id, at_ms)
        return self._removed(
            caller,
            _Undo(
                movie_id,
                at_ms,
                position.position_ms if position else None,
                watched.first_watched_at if watched else None,
                watched.last_watched_at if watched else None,
            ),
        )

    async def forget_all(self, caller: Caller) -> None:
        """Empty the history and forget every position. Repeat it if it was cut short. Raises `StoreUnavailable`."""
        at_ms = _now_ms()
        events = await self._resume_positions.events_of_viewer(caller.profile_id)
        forgotten: list[Event] = [
            Forgotten(caller.profile_id, event.movie_id, at_ms) for event in events if resumable(event) is not None
        ]
        await self._resume_positions.record_many(forgotten)
        await self._history.forget_all(caller.profile_id, _moment(at_ms))
        self._noted.drop_all(caller.profile_id, at_ms)

    async def undo(self, caller: Caller, token: str) -> None:
        """Bring back what a removal took. Raises `InputInvalid` for another profile's token or an old one, `StoreUnavailable`."""
        try:
            signed = self._serializer(caller).loads(token, max_age=UNDO_SECONDS)
            removed = msgspec.convert(signed, _Undo)
        except (BadData, msgspec.ValidationError) as error:
            raise InputInvalid(
                "This removal can no longer be undone: play the title, and it is listed again.", field="undo"
            ) from error
        if removed.first_watched_at is not None and removed.last_watched_at is not None:
            await self._history.restore(
                WatchedTitle(caller.profile_id, removed.movie_id, removed.first_watched_at, removed.last_watched_at)
            )
        if removed.position_ms is not None:
            # Newer than the removal, older than whatever was played since: a repeat changes nothing either.
            at_ms = removed.removed_at_ms + 1
            await self._resume_positions.record(
                ResumePosition(caller.profile_id, removed.movie_id, removed.position_ms, at_ms)
            )

    def _removed(self, caller: Caller, undo: _Undo) -> Removed:
        return Removed(undo=self._serializer(caller).dumps(msgspec.to_builtins(undo)))

    def _serializer(self, caller: Caller) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=f"removal:{caller.profile_id}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
