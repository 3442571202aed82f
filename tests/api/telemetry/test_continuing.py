"""A viewing that goes on under fresh addresses stays one session: `session_id` of `GET /stream`."""

import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import AsyncTestClient
from pydantic import SecretStr

from api.stream.service import telemetry_life_seconds
from marquee.domain.ids import made_at_ms, new_playback_id
from marquee.playback_ids import PlaybackIds
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.api.conftest import People, Person
from tests.harness.api.seeding import Seeder
from tests.harness.api.telemetry import batch, events_of

Client = AsyncTestClient[Litestar]


async def _stream(client: Client, person: Person, movie_id: str, session_id: str | None = None) -> dict[str, Any]:
    asked = {"movie_id": movie_id} | ({} if session_id is None else {"session_id": session_id})
    answer = await client.get("/api/v1/stream", params=asked, headers=person.headers)
    assert answer.status_code == 200, answer.text
    stream: dict[str, Any] = answer.json()
    return stream


async def test_a_renewed_stream_goes_on_with_its_session(
    client: Client, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id = await seed.playable("Goes on")
    first = await _stream(client, viewer, movie_id)
    body = batch({"kind": "attempt"}, {"kind": "first_frame", "duration_ms": 5})
    assert (await client.post(urlsplit(first["telemetry_url"]).path, json=body)).status_code == 204
    for _ in range(3):
        again = await _stream(client, viewer, movie_id, first["session_id"])
        assert again["session_id"] == first["session_id"], "one viewing is counted as two"
        assert again["telemetry_url"] == first["telemetry_url"], "the session's telemetry got another end"
        assert first["session_id"] in again["stream_url"], "the edges would log another session"
    body = batch({"seq": 2, "kind": "exit", "watched_ms": 10})
    assert (await client.post(urlsplit(again["telemetry_url"]).path, json=body)).status_code == 204
    kinds = [event.kind for event in await events_of(stores.event_log, first["session_id"])]
    assert sorted(kinds) == ["attempt", "exit", "first_frame", "stream_started"], "its beginning was told twice"


async def test_what_does_not_belong_to_the_caller_begins_a_session_of_its_own(
    client: Client, viewer: Person, people: People, seed: Seeder, api_settings: Settings
) -> None:
    movie_id, other_movie = await seed.playable("Mine"), await seed.playable("Another")
    stranger = await people.join("viewer")
    mine = (await _stream(client, viewer, movie_id))["session_id"]
    ids = PlaybackIds(api_settings)
    too_old = time.time_ns() // 1_000_000 - 1000 * (telemetry_life_seconds(api_settings.stream_url_seconds) + 1)
    other_secret = api_settings.model_copy(update={"cursor_secret": SecretStr("of another platform")})
    asked = {
        "another profile's": (stranger, movie_id, mine),
        "of another title": (viewer, other_movie, mine),
        "unsigned": (viewer, movie_id, new_playback_id()),
        "changed by one letter": (viewer, movie_id, mine[:-1] + ("0" if mine[-1] != "0" else "1")),
        "moved in time": (viewer, movie_id, mine[:8] + ("0" if mine[8] != "0" else "1") + mine[9:]),
        "expired": (viewer, movie_id, ids.new(viewer.profile_id, movie_id, at_ms=too_old)),
        "signed elsewhere": (viewer, movie_id, PlaybackIds(other_secret).new(viewer.profile_id, movie_id)),
    }
    for what, (person, movie, session_id) in asked.items():
        stream = await _stream(client, person, movie, session_id)
        assert stream["session_id"] != session_id, f"a session was continued that is {what}"
        assert abs(made_at_ms(stream["session_id"]) / 1000 - time.time()) < 60
        token = urlsplit(stream["telemetry_url"]).path.rsplit("/", 1)[-1].split(".")
        assert token[:3] == [stream["session_id"], person.profile_id, movie], f"{what}: the token names somebody else"


async def test_a_session_that_lives_is_continued_up_to_its_end(
    client: Client, viewer: Person, seed: Seeder, api_settings: Settings
) -> None:
    movie_id = await seed.playable("Paused over night")
    almost = time.time_ns() // 1_000_000 - 1000 * (telemetry_life_seconds(api_settings.stream_url_seconds) - 3600)
    session_id = PlaybackIds(api_settings).new(viewer.profile_id, movie_id, at_ms=almost)
    assert (await _stream(client, viewer, movie_id, session_id))["session_id"] == session_id


@pytest.mark.parametrize(
    "session_id", ["", "v_", "s_" + "0" * 20, "v_" + "z" * 20, "v_" + "0" * 21, "v_" + "0" * 19 + "\n"]
)
async def test_what_is_no_sessions_id_is_refused(client: Client, viewer: Person, seed: Seeder, session_id: str) -> None:
    movie_id = await seed.playable("Asked for wrongly")
    asked = {"movie_id": movie_id, "session_id": session_id}
    answer = await client.get("/api/v1/stream", params=asked, headers=viewer.headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "session_id"), answer.text


@cache
def _ids() -> PlaybackIds:
    return PlaybackIds(Settings(cursor_secret=SecretStr("secret")))


@given(at_ms=st.integers(0, 2**48 - 1), profile=st.text(max_size=30), movie=st.text(max_size=30))
def test_an_id_shows_whose_it_is_and_when_it_began(at_ms: int, profile: str, movie: str) -> None:
    ids = _ids()
    made = ids.new(profile, movie, at_ms=at_ms)
    assert made_at_ms(made) == at_ms
    assert ids.is_of(made, profile, movie)
    assert not ids.is_of(made, profile + "x", movie)
    assert not ids.is_of(made, profile, movie + "x")
