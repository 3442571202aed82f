"""What a viewer removes: a title from continue watching, a title from the history, the whole history. The first two have an undo.

Out of continue watching a title keeps its place in the history and its position, and comes back when it is played. Out of the
history it loses both. A removal is an event with a time: progress that was sent before it and arrives after it changes
nothing. The answer has an `undo`: what was removed, signed for the profile, valid for `UNDO_SECONDS`, and void once the title
was forgotten again. A title that the profile never watched is looked up in the catalogue: an unknown one is not stored.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from itsdangerous import BadData, URLSafeTimedSerializer

from api.auth.tokens import Caller
from api.history.noted import NotedTitles
from api.history.schemas import Removed
from marquee.domain.lifecycle import VISIBLE_TITLES
from marquee.domain.roles import may
from marquee.errors import InputInvalid, StoreUnavailable, TitleUnknown
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles
from marquee.stores.history.contract import WatchedTitle, WatchHistory
from marquee.stores.resume_positions.contract import (
    Event,
    Forgotten,
    Hidden,
    ResumePosition,
    ResumePositions,
)

UNDO_SECONDS: Final = 15 * 60
MAX_CLOCK_AHEAD_MS: Final = 5 * 60 * 1000
"""How far another API host's clock may be ahead of this one's. A removal wins over what was stored less far ahead; progress on
this host counts again once its clock has passed that moment."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = get_logger()


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
        self,
        titles: Titles,
        resume_positions: ResumePositions,
        history: WatchHistory,
        noted: NotedTitles,
        settings: Settings,
    ) -> None:
        self._titles = titles
        self._resume_positions = resume_positions
        self._history = history
        self._noted = noted
        self._secret = settings.cursor_secret.get_secret_value()

    async def hide(self, caller: Caller, movie_id: str) -> Removed:
        """Take a title out of continue watching. Raises `TitleUnknown`, `StoreUnavailable`."""
        position = await self._resume_positions.get(caller.profile_id, movie_id)
        if position is None:
            await self._require_title(caller, movie_id)
            return self._removed(caller, _Undo(movie_id, _now_ms(), None))
        at_ms = _removal_ms(movie_id, _now_ms(), position.event_time_ms)
        await self._resume_positions.record(Hidden(caller.profile_id, movie_id, position.position_ms, at_ms))
        return self._removed(caller, _Undo(movie_id, at_ms, position.position_ms))

    async def forget(self, caller: Caller, movie_id: str) -> Removed:
        """Take a title out of the history and forget its position. Raises `TitleUnknown`, `StoreUnavailable`.

        A known title that was not watched is forgotten too: its progress may still be on its way. An unknown one is not, so
        that the stores have at most one row for each profile and title.
        """
        position = await self._resume_positions.get(caller.profile_id, movie_id)
        watched = await self._history.get(caller.profile_id, movie_id)
        if position is None and watched is None:
            await self._require_title(caller, movie_id)
        at_ms = _removal_ms(
            movie_id,
            _now_ms(),
            position.event_time_ms if position else 0,
            _milliseconds(watched.last_watched_at) if watched else 0,
        )
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
        """Empty the history and forget every position. Repeat it if it was cut short. Raises `StoreUnavailable`.

        Titles that were removed before are forgotten again, at this later moment: so the undo of an earlier removal is void.
        """
        now_ms = _now_ms()
        events = await self._resume_positions.events_of_viewer(caller.profile_id)
        newest = await self._history.page(caller.profile_id, limit=1, before=None)
        stored_ms = {event.movie_id: event.event_time_ms for event in events}
        stored_ms |= {
            one.movie_id: max(stored_ms.get(one.movie_id, 0), _milliseconds(one.last_watched_at)) for one in newest
        }
        ahead = {movie_id: at_ms for movie_id, at_ms in stored_ms.items() if at_ms >= now_ms + MAX_CLOCK_AHEAD_MS}
        at_ms = max([now_ms, *(stored + 1 for movie_id, stored in stored_ms.items() if movie_id not in ahead)])
        forgotten: list[Event] = [Forgotten(caller.profile_id, event.movie_id, at_ms) for event in events]
        await self._resume_positions.record_many(forgotten)
        await self._history.forget_all(caller.profile_id, _moment(at_ms))
        self._noted.drop_all(caller.profile_id, at_ms)
        for movie_id, stored in ahead.items():
            # The other titles are forgotten. The caller must not be told that all are.
            _removal_ms(movie_id, now_ms, stored)

    async def undo(self, caller: Caller, token: str) -> None:
        """Bring back what a removal took.

        Raises `InputInvalid` for another profile's token, an old one, and one of a title that was forgotten again since;
        `StoreUnavailable`.
        """
        try:
            signed = self._serializer(caller).loads(token, max_age=UNDO_SECONDS)
            removed = msgspec.convert(signed, _Undo)
        except (BadData, msgspec.ValidationError) as error:
            raise _undo_is_void() from error
        if removed.first_watched_at is not None and removed.last_watched_at is not None:
            watched = WatchedTitle(
                caller.profile_id, removed.movie_id, removed.first_watched_at, removed.last_watched_at
            )
            if not await self._history.restore(watched, forgotten_at=_moment(removed.removed_at_ms)):
                raise _undo_is_void()
        if removed.position_ms is not None:
            # Newer than the removal, older than whatever was played or forgotten since: a repeat changes nothing either.
            at_ms = removed.removed_at_ms + 1
            await self._resume_positions.record(
                ResumePosition(caller.profile_id, removed.movie_id, removed.position_ms, at_ms)
            )
            if await self._resume_positions.get(caller.profile_id, removed.movie_id) is None:
                raise _undo_is_void()

    async def _require_title(self, caller: Caller, movie_id: str) -> None:
        """Raises `TitleUnknown` for a title that the caller cannot know."""
        title = await self._titles.get(movie_id)
        if title.state not in VISIBLE_TITLES and not may(caller.role, "see_hidden_titles"):
            raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")

    def _removed(self, caller: Caller, undo: _Undo) -> Removed:
        return Removed(undo=self._serializer(caller).dumps(msgspec.to_builtins(undo)))

    def _serializer(self, caller: Caller) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=f"removal:{caller.profile_id}")


def _undo_is_void() -> InputInvalid:
    return InputInvalid("This removal can no longer be undone: play the title, and it is listed again.", field="undo")


def _removal_ms(movie_id: str, now_ms: int, *stored_ms: int) -> int:
    """When to remove the title: now, or just after what is stored, which another host with a faster clock may have written.

    Raises `StoreUnavailable` if a stored time is `MAX_CLOCK_AHEAD_MS` ahead or more: the removal would lose against it.
    """
    newest_ms = max(stored_ms)
    if newest_ms >= now_ms + MAX_CLOCK_AHEAD_MS:
        ahead_seconds = (newest_ms - now_ms) / 1000
        log.error("a stored time is in the future", movie_id=movie_id, ahead_seconds=ahead_seconds)
        raise StoreUnavailable(
            f"Title {movie_id} was stored with a time {ahead_seconds:.0f} seconds in the future and cannot be removed yet. "
            "The operators have to compare the clocks of the API's hosts."
        )
    return max(now_ms, newest_ms + 1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def _milliseconds(moment: datetime) -> int:
    """Rounded down: a millisecond later is later than the moment."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
