"""The demo's week of viewers is believable: shares, daily rhythm, tastes, and no event out of order. All of it is pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marquee.demo.films import FILMS, LONG_FILM
from marquee.demo.viewers.people import NETWORKS, TASTES, draw_viewer
from marquee.demo.viewers.rhythm import HOUR_MS, SPAN_MS, moments
from marquee.demo.viewers.watching import HEARTBEAT_MS, Film, Happening, play
from marquee.demo.viewers.week import FAVOURITES, PREVIEW_SHARE, ROBOT_SHARE, SESSIONS, PlannedSession, plan_week
from marquee.domain.ids import is_profile_id
from marquee.domain.rows import canonical_genres
from marquee.events.viewing import EVENT_KINDS, ViewingEvent

NOW_MS = int(datetime(2026, 11, 29, 18, 30, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 24 * HOUR_MS
CATALOGUE = [
    Film(f"m_{number:020}", film.title, tuple(canonical_genres(film.genres)), 150.0 if film is LONG_FILM else 8.0)
    for number, film in enumerate((*FILMS, LONG_FILM))
]
seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def week() -> list[PlannedSession]:
    return plan_week(CATALOGUE, now_ms=NOW_MS)


def test_the_same_seed_gives_the_same_week(week: list[PlannedSession]) -> None:
    assert plan_week(CATALOGUE, now_ms=NOW_MS) == week
    assert plan_week(CATALOGUE, now_ms=NOW_MS, seed=2) != week


def test_a_week_has_its_sessions_in_order_and_all_are_over(week: list[PlannedSession]) -> None:
    assert len(week) == SESSIONS
    begins = [session.started_at_ms for session in week]
    assert begins == sorted(begins)
    assert begins[0] >= NOW_MS - 7 * DAY_MS + HOUR_MS, "an event is older than a week"
    assert all(session.started_at_ms + session.events[-1].at_ms <= NOW_MS for session in week)
    assert all(is_profile_id(session.viewer.profile_id) for session in week)


def test_shares_of_endings_networks_robots_and_previews_are_believable(week: list[PlannedSession]) -> None:
    endings = Counter(session.ending for session in week)
    networks = Counter(session.viewer.network.name for session in week)
    assert 0.02 < endings["exit_before_start"] / SESSIONS < 0.08
    assert 0.003 < endings["start_failure"] / SESSIONS < 0.03
    assert 0.003 < endings["playback_failure"] / SESSIONS < 0.03
    assert 0.4 < endings["completed"] / SESSIONS < 0.8
    assert set(networks) == {network.name for network in NETWORKS}
    assert all(count / SESSIONS > 0.12 for count in networks.values()), f"a network is hardly there: {networks}"
    robots = sum(session.viewer.device.name == "robot" for session in week) / SESSIONS
    previews = sum(session.is_preview for session in week) / SESSIONS
    assert ROBOT_SHARE / 2 < robots < ROBOT_SHARE * 2
    assert PREVIEW_SHARE / 2 < previews < PREVIEW_SHARE * 2


def test_the_evening_has_several_times_the_night_and_the_weekend_more_than_a_monday() -> None:
    drawn = [datetime.fromtimestamp(ms / 1000, UTC) for ms in moments(Random(1), 20_000, until_ms=NOW_MS)]
    by_hour, by_weekday = Counter(each.hour for each in drawn), Counter(each.weekday() for each in drawn)
    evening, night = sum(by_hour[hour] for hour in (19, 20, 21)), sum(by_hour[hour] for hour in (2, 3, 4))
    assert evening > 5 * night > 0, f"the evening has {evening} sessions, the night {night}"
    assert by_weekday[5] > by_weekday[0] > 0


@given(seed=seeds, count=st.integers(0, 50), until_ms=st.integers(SPAN_MS, NOW_MS))
def test_moments_are_in_order_and_inside_the_days(seed: int, count: int, until_ms: int) -> None:
    drawn = moments(Random(seed), count, until_ms=until_ms)
    assert len(drawn) == count
    assert list(drawn) == sorted(drawn)
    assert all(until_ms - SPAN_MS <= moment < until_ms for moment in drawn)


def test_a_taste_watches_its_genres(week: list[PlannedSession]) -> None:
    family = [each.film.title for each in week if each.viewer.taste.name == "family"]
    night = [each.film.title for each in week if each.viewer.taste.name == "night"]
    rabbit = "Big Buck Bunny"
    assert family.count(rabbit) / len(family) > 2 * night.count(rabbit) / len(night)


def test_what_trends_is_not_what_was_watched_most_at_the_week_s_beginning(week: list[PlannedSession]) -> None:
    def most_watched(sessions: Sequence[PlannedSession]) -> str:
        return Counter(each.film.title for each in sessions).most_common(1)[0][0]

    first = [each for each in week if each.started_at_ms < NOW_MS - 5 * DAY_MS]
    last = [each for each in week if each.started_at_ms >= NOW_MS - DAY_MS]
    assert most_watched(last) == "City of Bicycles", "what trends is not in front on the last day"
    assert most_watched(first) != "City of Bicycles"


def test_real_profiles_watch_the_few_films_that_their_taste_likes_best() -> None:
    mine = "p_" + "a" * 20
    week = plan_week(CATALOGUE, now_ms=NOW_MS, profiles={mine: "family"})
    sessions = [each for each in week if each.viewer.profile_id == mine]
    assert sessions, "the given profile watches nothing"
    assert all(each.viewer.taste.name == "family" for each in sessions)
    titles = {each.film.title for each in sessions}
    assert "Big Buck Bunny" in titles
    assert len(titles) <= FAVOURITES, "too few films are left to suggest to a visitor"


@settings(max_examples=60)
@given(seed=seeds, duration=st.floats(0.04, 4 * 3600), height=st.sampled_from((144, 240, 720, 2160)))
def test_no_event_of_a_session_is_out_of_order(seed: int, duration: float, height: int) -> None:
    random = Random(seed)
    viewer = draw_viewer(random, "p_" + "0" * 20, taste=random.choice(TASTES).name)
    film = Film("m_" + "0" * 20, "A film", ("Drama",), duration, height)
    ending, events = play(random, viewer, film)
    kinds = [event.kind for event in events]
    assert (kinds[0], events[0].at_ms) == ("attempt", 0)
    assert kinds[-1] == "exit"
    assert kinds.count("attempt") == kinds.count("exit") == 1
    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
    positions = [float(event.fields["position_seconds"]) for event in events]
    assert positions == sorted(positions)
    assert 0 <= positions[-1] <= duration
    _follows_the_rules_of_counting(ending, kinds, events)
    watched_ms = sum(int(event.fields.get("watched_ms", 0)) for event in events)
    assert watched_ms <= duration * 1000
    assert all(int(event.fields.get("watched_ms", 0)) <= HEARTBEAT_MS for event in events)
    if "seek" not in kinds:
        assert watched_ms == round(positions[-1] * 1000), "what was watched is not told in full"


def _follows_the_rules_of_counting(ending: str, kinds: list[str], events: Sequence[Happening]) -> None:
    played = "first_frame" in kinds
    failed = any(event.fields.get("is_fatal") for event in events)
    assert played == (ending in {"playback_failure", "left", "completed"})
    assert failed == (ending in {"start_failure", "playback_failure"})
    assert kinds.count("stall_begin") == kinds.count("stall_end")
    if played:
        assert kinds[1] == "first_frame"
        assert events[1].fields["duration_ms"] == events[1].at_ms, "the start takes from the attempt to the first frame"


def test_every_event_has_the_fields_of_the_record(week: list[PlannedSession]) -> None:
    for session in week[:300]:
        for event in session.events:
            assert event.kind in EVENT_KINDS
            assert set(event.fields) <= set(ViewingEvent.__struct_fields__)
