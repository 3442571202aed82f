"""Posts a planned week to the telemetry endpoint, as players do: one batch for a session, each with a signed URL of its own.

A session begins when its id was made, and the API puts no event before that. So the sessions of the past have ids of the past, in
URLs that are signed with the platform's own secret: only who has the secret, as this command has, can tell of other days.
The file of the week remembers the ids: an interrupted demo sends the same sessions again, and events with the same ids are
counted once. A finished week is never sent again.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.concurrency import gather_bounded
from marquee.demo.viewers.watching import Film, Happening
from marquee.demo.viewers.week import SESSIONS, PlannedSession, plan_week
from marquee.domain.ids import new_playback_id
from marquee.domain.lifecycle import PLAYABLE
from marquee.errors import PlatformUnavailable
from marquee.settings import Settings
from marquee.telemetry_token import TelemetrySession, TelemetryTokens

SESSIONS_PER_SECOND: Final = 80.0
"""Far below what the gateway lets one address post, and a fraction of what one process of the API takes."""
MAX_CONCURRENT: Final = 8
MAX_BATCH: Final = 200
"""Events of one request: the API takes no more."""
RETRY_SECONDS: Final = 60.0
URL_SECONDS: Final = 24 * 3600
KEPT_EVERY: Final = 100
"""Sessions after which the file says how many are sent."""
PLAYERS: Final[Mapping[str, str]] = {"tv": "hls.js/1.6", "tablet": "native/18.5"}
"""By the device; others have WEB_PLAYER."""
WEB_PLAYER: Final = "marquee-web/1"

OnSent = Callable[[int, int], None]
"""Told of the sessions sent so far, and of all."""


@dataclass
class Week:
    """What the file of the week says. `sent`: how many sessions, in their order, have been accepted."""

    now_ms: int
    profiles: dict[str, str]
    session_ids: list[str] = field(default_factory=list)
    sent: int = 0
    events: int = 0
    is_learned: bool = False
    """Whether the chain of analytics has run on it."""

    @property
    def is_sent(self) -> bool:
        return bool(self.session_ids) and self.sent >= len(self.session_ids)


class Refused(PlatformUnavailable):
    """The endpoint refuses a session for good; `detail` has its sentence."""


class _Transient(Exception):
    """No answer, or one that asks for another try."""


def films_of(titles: Sequence[Mapping[str, Any]]) -> list[Film]:
    """The films that can be watched, in the order of their ids, from the API's titles."""
    return [
        Film(
            title["movie_id"],
            title["title"],
            tuple(title["genres"]),
            float(title["duration_seconds"]),
            _height(title),
            int(title["active_version"]),
        )
        for title in sorted(titles, key=lambda title: str(title["movie_id"]))
        if title["state"] == PLAYABLE and title["duration_seconds"] and title["active_version"]
    ]


def _height(title: Mapping[str, Any]) -> int:
    picture = (title["tracks"] or {}).get("picture")
    return int(picture["height"]) if picture else Film.height


def read_week(path: Path) -> Week | None:
    """The week of the file; None if there is none, or one that cannot be read."""
    try:
        return Week(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def keep_week(path: Path, week: Week) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".writing")
    written.write_text(json.dumps(asdict(week)))
    written.replace(path)


async def send_week(
    settings: Settings,
    films: Sequence[Film],
    profiles: Mapping[str, str],
    path: Path,
    *,
    sessions: int = SESSIONS,
    on_sent: OnSent = lambda _, __: None,
    verify: ssl.SSLContext | bool = True,
) -> Week:
    """Send the week of the file, or a new one, from where it stopped. Returns what is sent.

    Raises `PlatformUnavailable` where the endpoint does not answer for RETRY_SECONDS, `Refused` where it refuses.
    """
    week = read_week(path) or Week(time.time_ns() // 1_000_000, dict(profiles))
    planned = plan_week(films, now_ms=week.now_ms, sessions=sessions, profiles=week.profiles)
    if len(week.session_ids) != len(planned):
        # A new week, or the films are others than when it was planned.
        week = Week(week.now_ms, week.profiles, [new_playback_id(each.started_at_ms) for each in planned])
        keep_week(path, week)
    async with _Sender(settings, verify) as sender:
        while not week.is_sent:
            chunk = range(week.sent, min(week.sent + KEPT_EVERY, len(planned)))
            sent = await gather_bounded(
                lambda number: sender.send(planned[number], week.session_ids[number]),
                chunk,
                max_concurrent=MAX_CONCURRENT,
            )
            week.sent, week.events = chunk.stop, week.events + sum(sent)
            keep_week(path, week)
            on_sent(week.sent, len(planned))
    return week


class _Sender:
    """One client for all sessions, which keeps to the rate."""

    def __init__(self, settings: Settings, verify: ssl.SSLContext | bool) -> None:
        self._tokens = TelemetryTokens(settings)
        self._edges = settings.edges
        self._http = httpx.AsyncClient(timeout=10, verify=verify, limits=httpx.Limits(max_connections=MAX_CONCURRENT))
        self._next_at = 0.0

    async def __aenter__(self) -> "_Sender":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, planned: PlannedSession, session_id: str) -> int:
        """Send one session; returns the number of its events."""
        now = time.time()
        url = self._tokens.url(
            TelemetrySession(
                session_id=session_id,
                profile_id=planned.viewer.profile_id,
                movie_id=planned.film.movie_id,
                version=planned.film.version,
                is_preview=planned.is_preview,
                expires_at=int(now) + URL_SECONDS,
            )
        )
        for begin in range(0, len(planned.events), MAX_BATCH):
            await self._pace()
            await self._post(url, planned, begin)
        return len(planned.events)

    async def _pace(self) -> None:
        now = time.monotonic()
        self._next_at = max(now, self._next_at + 1 / SESSIONS_PER_SECOND)
        await asyncio.sleep(self._next_at - now)

    async def _post(self, url: str, planned: PlannedSession, begin: int) -> None:
        device = planned.viewer.device
        part = planned.events[begin : begin + MAX_BATCH]
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Transient),
                stop=stop_after_delay(RETRY_SECONDS),
                wait=wait_random_exponential(multiplier=0.2, max=3),
                reraise=True,
            ):
                with attempt:
                    await self._once(
                        url,
                        {
                            # By the server's own clock: this command runs beside it.
                            "sent_ms": time.time_ns() // 1_000_000,
                            "player": PLAYERS.get(device.name, WEB_PLAYER),
                            "edge": self._edges[planned.started_at_ms % len(self._edges)],
                            "events": [_wire(planned, begin + place, event) for place, event in enumerate(part)],
                        },
                        device.user_agent,
                    )
        except _Transient as fault:
            raise PlatformUnavailable(f"The telemetry endpoint does not take the demo's viewers: {fault}.") from fault

    async def _once(self, url: str, batch: dict[str, object], user_agent: str) -> None:
        try:
            answer = await self._http.post(url, json=batch, headers={"User-Agent": user_agent})
        except httpx.TransportError as error:
            raise _Transient(f"{type(error).__name__} {error}".strip()) from error
        if answer.status_code in (429, 502, 503, 504):
            await asyncio.sleep(min(5.0, float(answer.headers.get("Retry-After") or 0)))
            raise _Transient(f"HTTP {answer.status_code}")
        if answer.is_error:
            raise Refused(
                f"The telemetry endpoint refuses the demo's viewers: {answer.status_code} {answer.text[:300]}"
            )


def _wire(planned: PlannedSession, number: int, event: Happening) -> dict[str, object]:
    return {"seq": number, "kind": event.kind, "at_ms": planned.started_at_ms + event.at_ms, **event.fields}
