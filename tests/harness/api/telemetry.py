"""A player's telemetry against the API, and what the event log then has of its session."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.domain.ids import new_movie_id, new_playback_id, new_profile_id
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog
from marquee.telemetry_token import TELEMETRY_PATH, TelemetrySession, TelemetryTokens
from tests.api.conftest import Person


@dataclass(frozen=True)
class Playback:
    """An answer of `/stream`."""

    session_id: str
    path: str
    movie_id: str


async def begin(client: AsyncTestClient[Litestar], person: Person, movie_id: str) -> Playback:
    answer = await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    stream = answer.json()
    return Playback(stream["session_id"], urlsplit(stream["telemetry_url"]).path, movie_id)


def begun_earlier(settings: Settings, *, minutes: int = 30) -> Playback:
    """A session that began some time ago, of a profile and a title that are nobody's."""
    session_id, movie_id = new_playback_id(time.time_ns() // 1_000_000 - minutes * 60_000), new_movie_id()
    session = TelemetrySession(session_id, new_profile_id(), movie_id, 1, False, int(time.time()) + 3600)
    return Playback(session_id, TELEMETRY_PATH + TelemetryTokens(settings).sign(session), movie_id)


def batch(*events: dict[str, Any], sent_ms: float = 10_000.0) -> dict[str, Any]:
    """A batch of these events, numbered and timed one after the other where they do not say otherwise."""
    numbered = [
        {"seq": number, "at_ms": sent_ms - len(events) + number, **event} for number, event in enumerate(events)
    ]
    return {"sent_ms": sent_ms, "events": numbered}


async def told(log: EventLog, session_id: str) -> list[ViewingEvent]:
    """The events of a playback session that its player told of, in order; without the API's own."""
    return [event for event in await events_of(log, session_id) if event.kind != "stream_started"]


async def events_of(log: EventLog, key: str | None = None) -> list[ViewingEvent]:
    """The events of the last minutes, in order; with `key`, those of one session or search."""
    found: list[ViewingEvent] = []
    cursor = await log.cursor_at(VIEWING_EVENTS, int((time.time() - 600) * 1000))
    while True:
        records, cursor = await log.read(VIEWING_EVENTS, cursor, limit=1000)
        if not records:
            return found
        found += [
            msgspec.json.decode(record.value, type=ViewingEvent) for record in records if key in (None, record.key)
        ]


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
