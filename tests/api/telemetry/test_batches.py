"""Batches of a player's own events: durable when accepted, the same events when repeated, refused whole."""

import time
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.telemetry.known_sessions import KnownSession, count_watched
from api.telemetry.schemas import MAX_EVENTS
from api.telemetry.service import WATCHED_LEFT_OUT
from marquee.domain.ids import is_playback_id, made_at_ms, new_movie_id, new_playback_id, new_profile_id
from marquee.domain.telemetry import MAX_PLAYBACK_RATE, most_watched_ms
from marquee.events import ViewingEvent
from marquee.settings import Settings
from marquee.stores.opened import Stores
from marquee.telemetry_token import TELEMETRY_PATH, TelemetrySession, TelemetryTokens
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder
from tests.harness.api.telemetry import Playback, batch, begin, begun_earlier, problem_of, told

Client = AsyncTestClient[Litestar]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1"


@pytest.fixture
async def playback(client: Client, viewer: Person, seed: Seeder) -> Playback:
    return await begin(client, viewer, await seed.playable("Told of"))


async def test_each_stream_begins_a_session_of_its_own(
    client: Client, viewer: Person, seed: Seeder, api_settings: Settings
) -> None:
    movie_id = await seed.playable("Begun")
    answers = [
        (await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=viewer.headers)).json()
        for _ in range(2)
    ]
    assert all(is_playback_id(answer["session_id"]) for answer in answers)
    assert len({answer["session_id"] for answer in answers}) == 2, "two sessions share an id"
    assert answers[0]["telemetry_url"].startswith(f"{api_settings.public}{TELEMETRY_PATH}{answers[0]['session_id']}.")


async def test_what_is_accepted_is_on_the_event_log(
    client: Client, viewer: Person, stores: Stores, playback: Playback, api_settings: Settings
) -> None:
    before = time.time_ns() // 1_000_000
    body = batch(
        {"kind": "attempt", "at_ms": 1000.0, "position_seconds": 0},
        {"kind": "first_frame", "at_ms": 1800.5, "duration_ms": 800},
        {"kind": "rendition", "height": 720, "kbps": 2400, "at_ms": 1900.0},
        {"kind": "error", "error_code": "manifestLoadError", "is_fatal": False, "at_ms": 2900.0},
        {"kind": "exit", "watched_ms": 1200, "at_ms": 3000.0, "position_seconds": 1.2},
        sent_ms=3000.0,
    )
    body |= {"player": "marquee-web/1.0", "edge": f"{api_settings.edges[0]}/"}
    answer = await client.post(playback.path, json=body, headers={"User-Agent": PHONE})
    assert answer.status_code == 204, answer.text
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events] == ["attempt", "first_frame", "rendition", "error", "exit"]
    assert {
        (e.profile_id, e.movie_id, e.version, e.is_preview, e.device, e.player, e.edge, e.source) for e in events
    } == {
        (
            viewer.profile_id,
            playback.movie_id,
            1,
            False,
            "phone",
            "marquee-web/1.0",
            api_settings.edges[0],
            "client",
        )
    }
    assert [event.event_id for event in events] == [f"{playback.session_id}:{number}" for number in range(5)]
    assert [event.seq for event in events] == [0, 1, 2, 3, 4], "events of one millisecond would have no order"
    assert all(before <= event.received_at_ms and event.at_ms <= event.received_at_ms for event in events)
    assert (events[1].duration_ms, events[2].height, events[3].error_code, events[4].watched_ms) == (
        800,
        720,
        "manifestLoadError",
        1200,
    )


async def test_a_repeated_batch_is_the_same_events(client: Client, stores: Stores, playback: Playback) -> None:
    body = batch({"kind": "attempt"}, {"kind": "heartbeat", "watched_ms": 500})
    for _ in range(2):
        assert (await client.post(playback.path, json=body)).status_code == 204
    events = await told(stores.event_log, playback.session_id)
    assert len({event.event_id for event in events}) == 2, "an event that is sent again counts twice"


async def test_an_engineer_looks_at_a_title_as_a_preview(
    client: Client, engineer: Person, stores: Stores, seed: Seeder
) -> None:
    playback = await begin(client, engineer, await seed.playable("Previewed"))
    assert (await client.post(playback.path, json=batch({"kind": "attempt"}))).status_code == 204
    [event] = await told(stores.event_log, playback.session_id)
    assert event.is_preview


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "text/plain", None])
async def test_a_beacon_is_taken_with_the_type_that_browsers_send(
    client: Client, stores: Stores, playback: Playback, content_type: str | None
) -> None:
    body = b' {"sent_ms": 5, "events": [{"seq": 0, "kind": "attempt", "at_ms": 5}]}'
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await client.post(playback.path, content=body, headers=headers)
    assert answer.status_code == 204, answer.text
    assert len(await told(stores.event_log, playback.session_id)) == 1


async def test_a_player_of_any_site_may_post_and_read_the_answer(client: Client, playback: Playback) -> None:
    asked = {
        "Origin": "https://player.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = await client.options(playback.path, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-allow-headers"].lower() == "content-type"
    assert "access-control-allow-credentials" not in preflight.headers
    for body in ({"sent_ms": 1, "events": []}, batch({"kind": "attempt"})):
        answer = await client.post(playback.path, json=body, headers={"Origin": "https://player.example.org"})
        assert answer.headers["access-control-allow-origin"] == "*", f"{answer.status_code} cannot be read"


async def test_no_other_address_is_open_to_other_sites(client: Client, viewer: Person) -> None:
    asked = {"Origin": "https://player.example.org", "Access-Control-Request-Method": "GET"}
    for answer in (
        await client.options("/api/v1/history", headers=asked),
        await client.get("/api/v1/history", headers={**viewer.headers, **asked}),
    ):
        assert "access-control-allow-origin" not in answer.headers


def _forgeries(token: str, other: str) -> dict[str, str]:
    said, _, signature = token.rpartition(".")
    parts = said.split(".")
    return {
        "cut": token[:-1],
        "cut to its session": parts[0],
        "without a signature": said,
        "with another's signature": f"{said}.{other.rpartition('.')[2]}",
        "with another profile": ".".join([parts[0], new_profile_id(), *parts[2:], signature]),
        "made a viewing of a preview": ".".join([*parts[:4], "1", parts[5], signature]),
        "longer than it was": ".".join([*parts[:5], str(int(parts[5]) + 1), signature]),
        "no token": "x",
        "not ASCII": "%C3%A4",
        "with a dot more": f"{token}.",
    }


async def test_a_forged_or_cut_url_is_refused(client: Client, viewer: Person, seed: Seeder, playback: Playback) -> None:
    other = await begin(client, viewer, playback.movie_id)
    token = playback.path.removeprefix(TELEMETRY_PATH)
    for what, forged in _forgeries(token, other.path.removeprefix(TELEMETRY_PATH)).items():
        answer = await client.post(f"{TELEMETRY_PATH}{forged}", json=batch({"kind": "attempt"}))
        assert problem_of(answer) == (403, "signature-invalid"), f"a token {what}: {answer.text}"


async def test_an_expired_url_is_refused(client: Client, api_settings: Settings) -> None:
    session = TelemetrySession(new_playback_id(), new_profile_id(), new_movie_id(), 1, False, int(time.time()) - 1)
    path = TELEMETRY_PATH + TelemetryTokens(api_settings).sign(session)
    answer = await client.post(path, json=batch({"kind": "attempt"}))
    assert problem_of(answer) == (403, "url-expired")


HOSTILE: dict[str, dict[str, Any]] = {
    "an unknown kind": batch({"kind": "stream_started"}),
    "a kind of the server": batch({"kind": "title_published"}),
    "an unknown field": batch({"kind": "attempt", "profile_id": "p_0000000000000000000"}),
    "a session of its own": {**batch({"kind": "attempt"}), "session_id": "v_x"},
    "no event": {"sent_ms": 1, "events": []},
    "too many events": batch(*[{"kind": "attempt"}] * (MAX_EVENTS + 1)),
    "one number twice": batch({"kind": "attempt", "seq": 1}, {"kind": "pause", "seq": 1}),
    "a negative number": batch({"kind": "attempt", "seq": -1}),
    "a first frame that does not say when": batch({"kind": "first_frame"}),
    "an attempt that was watched": batch({"kind": "attempt", "watched_ms": 1}),
    "hours in one heartbeat": batch({"kind": "heartbeat", "watched_ms": 3_600_000}),
    "a negative stall": batch({"kind": "stall_end", "duration_ms": -1}),
    "an error code with a line break": batch({"kind": "error", "error_code": "a\nb", "is_fatal": True}),
    "an error code of markup": batch({"kind": "error", "error_code": "<b>", "is_fatal": True}),
    "a clock past all numbers": {**batch({"kind": "attempt"}), "sent_ms": 1e300},
    "text for a number": batch({"kind": "heartbeat", "watched_ms": "1"}),
    "a list": [],  # type: ignore[dict-item]
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_wrong_batch_is_refused_whole(client: Client, stores: Stores, playback: Playback, what: str) -> None:
    answer = await client.post(playback.path, json=HOSTILE[what])
    assert problem_of(answer) == (400, "input-invalid"), f"{what}: {answer.text}"
    assert not await told(stores.event_log, playback.session_id), f"{what} left events"


@pytest.mark.parametrize(
    "body",
    [
        b'{"sent_ms": 1, "events": [{"seq": 0, "seq": 1, "kind": "attempt", "at_ms": 1}]}',
        b'{"sent_ms": 1, "sent_ms" : 2, "events": [{"seq": 0, "kind": "attempt", "at_ms": 1}]}',
        b'{"sent_ms": 1, "events": [{"seq": 0, "kind": "pause", "kind": "play", "at_ms": 1, "height": null}]}',
        b'{"sent_ms": 1, "events": [{"seq": 0, "kind": "attempt", "at_ms" :1, "at\\u005fms":2}]}',
    ],
)
async def test_a_key_that_stands_twice_is_refused(client: Client, playback: Playback, body: bytes) -> None:
    answer = await client.post(playback.path, content=body)
    assert problem_of(answer) == (400, "input-invalid"), f"{body!r} has two meanings"


async def test_null_is_as_good_as_nothing(client: Client, playback: Playback) -> None:
    body = batch({"kind": "attempt", "watched_ms": None, "height": None})
    assert (await client.post(playback.path, json=body)).status_code == 204


async def test_a_body_that_is_too_large_or_of_another_type_is_refused(client: Client, playback: Playback) -> None:
    large = await client.post(playback.path, content=b" " * 65_537 + b"{}", headers={"Content-Type": "text/plain"})
    assert problem_of(large) == (413, "body-too-large")
    for content_type in ("application/x-www-form-urlencoded", "application/json; charset=latin1", "image/png"):
        answer = await client.post(playback.path, content=b"{}", headers={"Content-Type": content_type})
        assert problem_of(answer) == (415, "content-type-refused"), content_type
    packed = await client.post(playback.path, content=b"{}", headers={"Content-Encoding": "gzip"})
    assert problem_of(packed) == (415, "content-encoding-refused")


async def test_an_event_lies_between_its_session_and_now(client: Client, stores: Stores, playback: Playback) -> None:
    body = batch(
        {"kind": "attempt", "at_ms": -1e12},
        {"kind": "pause", "at_ms": 9000.0},
        {"kind": "play", "at_ms": 1e12},
        sent_ms=10_000.0,
    )
    assert (await client.post(playback.path, json=body)).status_code == 204
    early, _, late = await told(stores.event_log, playback.session_id)
    assert early.at_ms == made_at_ms(playback.session_id), "an event lies before its session"
    assert late.at_ms == late.received_at_ms, "an event lies in the future"


async def test_a_session_told_later_lies_where_it_was(client: Client, stores: Stores, api_settings: Settings) -> None:
    began_ms = time.time_ns() // 1_000_000 - 3 * 24 * 3_600_000
    session_id = new_playback_id(began_ms)
    session = TelemetrySession(session_id, new_profile_id(), new_movie_id(), 1, False, int(time.time()) + 60)
    path = TELEMETRY_PATH + TelemetryTokens(api_settings).sign(session)
    day = 24 * 3_600_000.0
    body = batch({"kind": "attempt", "at_ms": day}, {"kind": "exit", "at_ms": day + 1000}, sent_ms=4 * day)
    assert (await client.post(path, json=body)).status_code == 204
    attempt, left = await told(stores.event_log, session_id)
    assert 0 <= attempt.at_ms - began_ms < 60_000
    assert left.at_ms - attempt.at_ms == 1000


async def test_a_session_that_sends_too_much_is_told_when_to_send_again(
    client: Client, stores: Stores, playback: Playback
) -> None:
    full = batch(*[{"kind": "pause"}] * MAX_EVENTS)
    for turn in range(30):
        body = {**full, "events": [{**one, "seq": one["seq"] + turn * MAX_EVENTS} for one in full["events"]]}
        answer = await client.post(playback.path, json=body)
        if answer.status_code == 429:
            break
    assert problem_of(answer) == (429, "too-many-requests"), "a session may send without end"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    before = len(await told(stores.event_log, playback.session_id))
    assert before % MAX_EVENTS == 0, "a refused batch left events"


async def test_no_session_watches_more_than_the_clock_allows(
    client: Client, stores: Stores, api_settings: Settings
) -> None:
    playback = begun_earlier(api_settings, minutes=30)
    before = WATCHED_LEFT_OUT._value.get()
    claimed_ms = 0
    for first in (0, 30):
        ten_minutes = [{"kind": "heartbeat", "seq": first + n, "watched_ms": 600_000} for n in range(30)]
        answer = await client.post(playback.path, json=batch(*ten_minutes))
        assert answer.status_code == 204, answer.text
        claimed_ms += 30 * 600_000
    events = await told(stores.event_log, playback.session_id)
    assert len(events) == 60, "an event was dropped with its watched time"
    watched_ms = sum(event.watched_ms or 0 for event in events)
    assert watched_ms >= 30 * 60_000 * MAX_PLAYBACK_RATE, "a viewer at the highest rate loses watched time"
    assert watched_ms <= most_watched_ms(made_at_ms(playback.session_id), time.time_ns() // 1_000_000)
    assert round(WATCHED_LEFT_OUT._value.get() - before) == round((claimed_ms - watched_ms) / 1000)


def test_watched_time_that_was_not_stored_can_come_again() -> None:
    known = KnownSession()
    now_ms = time.time_ns() // 1_000_000
    event = ViewingEvent(
        event_id="1", kind="heartbeat", source="client", at_ms=now_ms, received_at_ms=now_ms, watched_ms=700
    )
    events, counted_ms, left_out_ms = count_watched(known, [event, event], 1000)
    assert ([each.watched_ms for each in events], counted_ms, left_out_ms) == ([700, 300], 1000, 400)
    known.watched_ms -= counted_ms  # as the service does after a failure
    assert count_watched(known, [event], 1000)[1:] == (700, 0)
