"""Days as other systems' bug reports describe them, from the lake's files to PostgreSQL (docs/reports.md)."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("pyspark")
pytest.importorskip("scipy")

from jobs.spark import candidates, content, popularity, sessions
from marquee.settings import Settings
from marquee.stores.analytics.library import LibraryTitle
from tests.jobs.spark.conftest import Run
from tests.jobs.spark.frames import DAY, Events
from tests.jobs.spark.lakes import add_title, ask, store

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]


def _by_three(events: Events, movie_id: str, **fields: Any) -> None:
    for number in range(3):
        sent = {"movie_id": movie_id, "profile_id": f"p_{number}", "kbps": 4000, "height": 1080}
        events.play(f"v_{movie_id}_{number}", watched=60, **{**sent, **fields})


def test_a_day_of_robots_previews_and_failures_has_viewers_figures_alone(
    platform: Settings, run: Run, tmp_path: Path
) -> None:
    events = Events()
    _by_three(events, "m_one", device="robot")
    _by_three(events, "m_two", is_preview=True)
    for number in range(2):
        events.add(f"v_failed_{number}", "attempt", number)
        events.add(f"v_failed_{number}", "error", number + 1, is_fatal=True, error_code="network")
    for number, query in enumerate(("jane@example.com", "bob@example.com", "leo")):
        asked = {"source": "server", "profile_id": f"p_{number}", "results": 0}
        events.add(None, "search_asked", number, query=query, **asked)
    # Asked before midnight: the day has the opened title, and no question.
    events.add(None, "search_opened", 9, source="server", query="early", place=2)
    events.add(None, "search_opened", 9, source="server", query="early", place=2**62)
    store(platform, events.rows, tmp_path)
    run(sessions.run)
    assert ask(platform, "SELECT * FROM daily_title") == [(DAY, "m_one", 2, 0, 0, 0, 0.0)]
    assert ask(platform, "SELECT * FROM daily_profile") == []
    assert ask(platform, "SELECT * FROM daily_failure") == [(DAY, "network", 2, 0)]
    assert ask(platform, "SELECT * FROM daily_quality WHERE cut = 'all'") == [
        (DAY, "all", "", 2, 0, 0, 2, 0, None, None, None, None, 0.0, 0.0)
    ]
    searches = "SELECT query, asked, without_results, opened, place_sum, profiles FROM daily_search ORDER BY query"
    assert ask(platform, searches) == [
        ("(personal)", 2, 2, 0, 0, 1),
        ("early", 0, 0, 2, 3, 1),
        ("leo", 1, 1, 0, 0, 1),
    ]


def test_titles_that_nobody_can_watch_now_take_no_places(platform: Settings, run: Run, tmp_path: Path) -> None:
    """Deleted, unpublished or refused after they were watched; and one that the catalogue has never had."""
    states = {"m_one": "playable", "m_deleted": "deleted", "m_hidden": "unpublished", "m_refused": "refused"}
    events = Events()
    for movie_id, state in states.items():
        add_title(platform, movie_id, state=state)
        _by_three(events, movie_id)
    _by_three(events, "m_unknown")
    store(platform, events.rows, tmp_path)
    run(sessions.run)
    assert run(popularity.run)["titles"] == 1
    assert run(candidates.run)["rows"] == 1
    for table in ("popularity", "reencode_candidate"):
        assert ask(platform, f"SELECT DISTINCT movie_id FROM {table}") == [("m_one",)], table


def test_a_lake_in_a_folder_of_any_name_is_read(platform: Settings, run: Run, tmp_path: Path) -> None:
    """Spark takes the name of a file for a pattern."""
    odd = platform.model_copy(update={"lake_url": f"file://{tmp_path}/my%20films%20%5B2026%5D%20%7Ba,b%7D"})
    add_title(odd, "m_one")
    events = Events()
    _by_three(events, "m_one")
    store(odd, events.rows, tmp_path)
    assert run(sessions.run, settings=odd)["sessions"] == 3
    assert run(popularity.run, settings=odd)["titles"] == 1


def test_a_person_who_stands_twice_in_a_film_counts_once() -> None:
    """Who wrote it and plays in it: as two people they made two films more alike than a film is to itself."""

    def title(movie_id: str, *people: str) -> LibraryTitle:
        return LibraryTitle(movie_id, movie_id, None, None, (), people, 0.0, True)

    once, twice = (
        dict(content.similar_by_content([title("m_a", *people), title("m_b", *people), title("m_c", "Else")]))
        for people in (("Clint", "Tyne"), ("Clint", "CLINT", "Tyne", "Clint"))
    )
    assert twice == once
    assert all(score <= 1 for near in twice.values() for _, score in near)
