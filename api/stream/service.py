"""Playing: signed addresses with the position to resume from, and progress.

Progress is the hot path: one write, durable when it is acknowledged. It needs the title's duration, and whether the
title can be played; both are cached in the process for `TITLE_TTL_SECONDS`. If the catalogue is down, the cached
duration is used however old it is. The watch history gets a viewer's first progress on a title and then one every
`HISTORY_INTERVAL_SECONDS` (`api.history.noted`), not one every 4 s.
"""

import contextlib
import time
from datetime import UTC, datetime
from typing import Final

from cachetools import LRUCache

from api.auth.tokens import Caller
from api.history.noted import NotedTitles
from api.stream.schemas import Progress, Stream
from api.telemetry.server_events import ServerEvents
from marquee import deadlines
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.device_class import DeviceClass
from marquee.domain.ids import made_at_ms
from marquee.domain.lifecycle import PLAYABLE, TITLE_SENTENCES
from marquee.domain.playback import credible_position, event_time_ms, position_ms, resume_position
from marquee.domain.roles import may
from marquee.domain.telemetry import is_sampled
from marquee.errors import MarqueeError, StoreUnavailable, TitleNotPlayable
from marquee.events import ViewingEvent
from marquee.logs import get_logger
from marquee.playback_ids import PlaybackIds
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles
from marquee.stores.catalogue.values import Title
from marquee.stores.history.contract import WatchHistory
from marquee.stores.resume_positions.contract import ResumePosition, ResumePositions
from marquee.telemetry_token import TelemetrySession, TelemetryTokens
from marquee.telemetry_token import life_seconds as telemetry_life_seconds

TITLE_TTL_SECONDS: Final = 15.0
CACHE_ENTRIES: Final = 50_000
OPTIONAL_SECONDS: Final = 0.5
"""For a call that a progress write can do without: the position itself needs the rest of the request's time."""


log = get_logger()


class StreamService:
    """What `/stream` does."""

    def __init__(
        self,
        titles: Titles,
        resume_positions: ResumePositions,
        history: WatchHistory,
        noted: NotedTitles,
        events: ServerEvents,
        settings: Settings,
    ) -> None:
        self._titles = titles
        self._resume_positions = resume_positions
        self._history = history
        self._addresses = EdgeAddresses(settings)
        self._telemetry = TelemetryTokens(settings)
        self._playback_ids = PlaybackIds(settings)
        self._sample = settings.telemetry_sample
        self._life_seconds = settings.stream_url_seconds
        self._durations: LRUCache[str, tuple[float, float]] = LRUCache(CACHE_ENTRIES)
        """movie_id -> (duration in seconds, when it was read). An old one is used while the catalogue is down."""
        self._noted = noted
        self._events = events

    async def stream(
        self, caller: Caller, movie_id: str, *, device: DeviceClass, session_id: str | None = None
    ) -> Stream:
        """The title's signed addresses, the profile's resume position, and its playback session.

        `session_id`: of an earlier answer, to go on with that session. It is continued if this profile began it with this
        title, and while its telemetry URL lives. Otherwise a session begins anew: a viewer waits for the film, and a refusal
        would stop it.

        Raises `TitleUnknown`, `TitleNotPlayable`, `StoreUnavailable`.
        """
        title = await self._titles.get(movie_id)
        duration = _duration_of(title)
        if title.active_version is None or title.manifest is None or title.dash is None:
            raise TitleNotPlayable("This title has no streams.", field="movie_id")
        resume = await self._resume_positions.get(caller.profile_id, movie_id)
        now = int(time.time())
        expires_at = now + self._life_seconds
        continued = session_id is not None and self._goes_on(session_id, caller.profile_id, movie_id, now)
        if session_id is None or not continued:
            session_id = self._playback_ids.new(caller.profile_id, movie_id)
        session = TelemetrySession(
            session_id=session_id,
            profile_id=caller.profile_id,
            movie_id=movie_id,
            version=title.active_version,
            is_preview=may(caller.role, "manage_titles"),
            expires_at=self._telemetry_end(session_id),
        )
        is_told = is_sampled(session.session_id, self._sample)
        if is_told and not continued:
            self._tell_start(session, device)
        return Stream(
            movie_id=movie_id,
            title=title.details.title,
            stream_url=self._addresses.stream(
                movie_id, session.version, title.manifest, expires_at=expires_at, session_id=session.session_id
            ),
            dash_url=self._addresses.stream(
                movie_id, session.version, title.dash, expires_at=expires_at, session_id=session.session_id
            ),
            poster_url=self._addresses.image(movie_id, title.poster),
            sprite_vtt_url=self._addresses.image(movie_id, title.sprite_vtt),
            resume_position_seconds=resume_position(resume.position_ms if resume else None, duration),
            duration_seconds=duration,
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            session_id=session.session_id,
            telemetry_url=self._telemetry.url(session) if is_told else None,
        )

    def _goes_on(self, session_id: str, profile_id: str, movie_id: str, now: int) -> bool:
        return self._playback_ids.is_of(session_id, profile_id, movie_id) and now < self._telemetry_end(session_id)

    def _telemetry_end(self, session_id: str) -> int:
        """In Unix seconds. A continued session keeps the end that it had: it cannot be prolonged for ever."""
        return made_at_ms(session_id) // 1000 + telemetry_life_seconds(self._life_seconds)

    def _tell_start(self, session: TelemetrySession, device: DeviceClass) -> None:
        now_ms = time.time_ns() // 1_000_000
        self._events.tell(
            session.session_id,
            ViewingEvent(
                event_id=f"{session.session_id}:stream",
                kind="stream_started",
                source="server",
                at_ms=now_ms,
                received_at_ms=now_ms,
                device=device,
                edge=self._addresses.edge(session.movie_id),
                **session.event_fields,
            ),
        )

    async def record(self, caller: Caller, progress: Progress) -> None:
        """Store a position. It is durable when this returns.

        Raises `TitleUnknown`, `TitleNotPlayable`, `InputInvalid` for a position past the end, `StoreUnavailable`.
        """
        now_ms = time.time_ns() // 1_000_000
        duration = await self._duration(progress.movie_id)
        seconds = credible_position(progress.position_seconds, duration)
        at_ms = event_time_ms(now_ms, progress.age_ms)
        await self._resume_positions.record(
            ResumePosition(caller.profile_id, progress.movie_id, position_ms(seconds), at_ms)
        )
        await self._note_watching(caller.profile_id, progress.movie_id, at_ms)

    async def _duration(self, movie_id: str) -> float:
        known = self._durations.get(movie_id)
        now = time.monotonic()
        if known is not None and now - known[1] < TITLE_TTL_SECONDS:
            return known[0]
        try:
            with deadlines.limited(OPTIONAL_SECONDS) if known is not None else contextlib.nullcontext():
                duration = _duration_of(await self._titles.get(movie_id))
        except StoreUnavailable:
            if known is None:
                raise
            return known[0]
        except MarqueeError:
            self._durations.pop(movie_id, None)
            raise
        self._durations[movie_id] = (duration, now)
        return duration

    async def _note_watching(self, profile_id: str, movie_id: str, at_ms: int) -> None:
        if (profile_id, movie_id) in self._noted:
            return
        try:
            with deadlines.limited(OPTIONAL_SECONDS):
                await self._history.record(profile_id, movie_id, datetime.fromtimestamp(at_ms / 1000, UTC))
        except StoreUnavailable as error:
            # Not an error for the caller: the position itself is stored. The next progress tries again.
            log.warning("the watch history was not written", reason=error.detail)
            return
        self._noted.add(profile_id, movie_id, at_ms)


def _duration_of(title: Title) -> float:
    if title.state != PLAYABLE:
        raise TitleNotPlayable(TITLE_SENTENCES[title.state], field="movie_id")
    if title.duration_seconds is None:
        raise TitleNotPlayable("This title cannot be played.", field="movie_id")
    return title.duration_seconds
