"""The demo's week goes through the real endpoint: its events are on the event log with the times of the past, each once."""

import json
from pathlib import Path

import msgspec
import pytest

from marquee.demo.viewers.sending import Refused, films_of, read_week, send_week
from marquee.demo.viewers.visitors import SEARCHES, TASTE_OF_PROFILE, search, visitors
from marquee.demo.viewers.watching import Film
from marquee.demo.viewers.week import plan_week
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from tests.harness.served import served  # noqa: F401 - a fixture

SESSIONS = 60
FILMS = [Film(f"m_{number:020}", f"Film {number}", ("Drama", "Comedy"), 60.0, version=2) for number in range(4)]
PROFILES = {"p_" + "b" * 20: "night"}


async def events_on_the_log(settings: Settings, session_ids: set[str]) -> list[ViewingEvent]:
    """The viewing events of these sessions, in the order of the log."""
    log = open_event_log(settings.event_log)
    found: list[ViewingEvent] = []
    cursor: str | None = None
    try:
        while True:
            records, cursor = await log.read(VIEWING_EVENTS, cursor, limit=1000)
            if not records:
                return found
            found += [
                msgspec.json.decode(record.value, type=ViewingEvent) for record in records if record.key in session_ids
            ]
    finally:
        await log.close()


async def test_a_week_arrives_whole_and_in_its_own_time(
    served: Settings,  # noqa: F811 - the fixture above
    tmp_path: Path,
) -> None:
    path = tmp_path / "demo" / "week.json"
    told: list[tuple[int, int]] = []
    week = await send_week(
        served, FILMS, PROFILES, path, sessions=SESSIONS, on_sent=lambda done, total: told.append((done, total))
    )
    planned = plan_week(FILMS, now_ms=week.now_ms, sessions=SESSIONS, profiles=PROFILES)
    assert told[-1] == (len(planned), len(planned))
    events = await events_on_the_log(served, set(week.session_ids))
    assert len(events) == week.events == sum(len(session.events) for session in planned)
    by_session = dict(zip(week.session_ids, planned, strict=True))
    for event in events:
        assert event.session_id is not None
        session = by_session[event.session_id]
        assert event.profile_id == session.viewer.profile_id
        assert event.movie_id == session.film.movie_id
        assert event.is_preview == session.is_preview
        assert event.device == session.viewer.device.name
    for session_id, session in by_session.items():
        found = [event for event in events if event.session_id == session_id]
        assert [event.kind for event in found] == [event.kind for event in session.events]
        for arrived, made in zip(found, session.events, strict=True):
            # The way to the server takes time, and the clocks of both are one machine's.
            assert abs(arrived.at_ms - session.started_at_ms - made.at_ms) < 60_000, "an event lost its time"
    assert min(event.at_ms for event in events) < week.now_ms - 24 * 3_600_000, "no event is of an earlier day"


async def test_a_finished_week_is_not_sent_again_and_a_cut_one_goes_on_with_the_same_events(
    served: Settings,  # noqa: F811 - the fixture above
    tmp_path: Path,
) -> None:
    path = tmp_path / "week.json"
    first = await send_week(served, FILMS, PROFILES, path, sessions=SESSIONS)
    before = await events_on_the_log(served, set(first.session_ids))
    again = await send_week(served, FILMS, PROFILES, path, sessions=SESSIONS)
    assert again == first
    assert len(await events_on_the_log(served, set(first.session_ids))) == len(before), "a sent week was sent again"

    path.write_text(json.dumps({**json.loads(path.read_text()), "sent": 0}))
    resumed = await send_week(served, FILMS, PROFILES, path, sessions=SESSIONS)
    assert resumed.session_ids == first.session_ids
    events = await events_on_the_log(served, set(first.session_ids))
    assert {event.event_id for event in events} == {event.event_id for event in before}, (
        "the same events have other ids"
    )


async def test_a_stranger_s_signature_is_refused_and_said(
    served: Settings,  # noqa: F811 - the fixture above
    tmp_path: Path,
) -> None:
    stranger = served.model_copy(update={"cursor_secret": type(served.cursor_secret)("guessed")})
    with pytest.raises(Refused, match="403"):
        await send_week(stranger, FILMS, {}, tmp_path / "week.json", sessions=5)
    week = read_week(tmp_path / "week.json")
    assert week is not None
    assert not week.is_sent


def test_a_damaged_file_of_the_week_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    assert read_week(path) is None
    path.write_text("{")
    assert read_week(path) is None
    path.write_text('{"other": 1}')
    assert read_week(path) is None


def test_only_playable_titles_are_watched() -> None:
    title = {
        "movie_id": "m_1",
        "title": "One",
        "genres": ["Drama"],
        "duration_seconds": 4.0,
        "state": "playable",
        "tracks": {"picture": {"height": 480}},
        "active_version": 3,
    }
    announced = {**title, "state": "announced", "duration_seconds": None, "active_version": None, "tracks": None}
    assert films_of([title, announced]) == [Film("m_1", "One", ("Drama",), 4.0, 480, 3)]
    assert films_of([{**title, "tracks": None}])[0].height == Film.height


async def test_the_visitors_account_is_made_once_and_searches(
    served: Settings,  # noqa: F811 - the fixture above
) -> None:
    found = await visitors(served)
    assert sorted(found.profiles.values()) == sorted(TASTE_OF_PROFILE.values())
    assert await visitors(served) == found
    assert await search(served, found) == sum(SEARCHES.values())
