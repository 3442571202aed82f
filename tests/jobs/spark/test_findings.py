"""Trending, re-encode candidates, watch shares and genre tastes, on small frames of sessions."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.jobs.spark.frames import DAY

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]


class Watched:
    """Sessions of the lake, one a line."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, movie_id: str, profile_id: str | None, *, days_ago: int = 0, **fields: Any) -> None:
        self.rows.append(
            {
                "session_id": f"v_{len(self.rows)}",
                "day": DAY - timedelta(days=days_ago),
                "started_at_ms": 1_000_000 - days_ago,
                "profile_id": profile_id,
                "movie_id": movie_id,
                "outcome": "played",
                "watch_seconds": 60.0,
                "duration_seconds": 100.0,
                "is_preview": False,
                "is_robot": False,
                **fields,
            }
        )

    def by_many(self, movie_id: str, count: int, *, days_ago: int = 0, **fields: Any) -> None:
        for number in range(count):
            self.add(movie_id, f"p_{number}", days_ago=days_ago, **fields)

    def frame(self, spark: "SparkSession") -> "DataFrame":
        from jobs.spark.findings import SESSION_SCHEMA

        names = [column.split()[0] for column in SESSION_SCHEMA.split(", ")]
        return spark.createDataFrame([tuple(row.get(name) for name in names) for row in self.rows], SESSION_SCHEMA)


def _trending(spark: "SparkSession", watched: Watched, **genres: list[str]) -> dict[str, list[tuple[str, float]]]:
    from jobs.spark.trending import trending

    movies = {row["movie_id"] for row in watched.rows}
    pairs = [(movie, genre) for movie in movies for genre in ("", *genres.get(movie, []))]
    frame = spark.createDataFrame(pairs, "movie_id string, genre string")
    found: dict[str, list[tuple[str, float]]] = {}
    for genre, rank, movie, score, _ in trending(watched.frame(spark), frame, through=DAY).collect():
        found.setdefault(genre, []).append((movie, score))
        assert rank == len(found[genre]), "ranks count from 1 without gaps"
    return found


def test_trending_is_against_a_titles_own_past(spark: "SparkSession") -> None:
    watched = Watched()
    for days_ago in range(28):
        watched.by_many("m_steady", 40, days_ago=days_ago)
        watched.by_many("m_rising", 30 if days_ago == 0 else 10, days_ago=days_ago)
        watched.by_many("m_falling", 4 if days_ago == 0 else 30, days_ago=days_ago)
    watched.by_many("m_three", 3)
    watched.by_many("m_two", 2)
    watched.by_many("m_robots", 200, device="robot", is_robot=True)
    watched.by_many("m_previews", 200, is_preview=True)
    watched.by_many("m_failing", 200, outcome="start_failure")
    for number in range(200):
        watched.add("m_one_fan", "p_fan", session_id=f"v_fan_{number}")
    found = _trending(spark, watched, m_rising=["Drama"], m_falling=["Drama", "War"])
    names = [movie for movie, _ in found[""]]
    assert names == ["m_rising", "m_three", "m_steady", "m_falling"], (
        "robots, previews, failures and one fan are left out"
    )
    scores = dict(found[""])
    assert scores["m_rising"] > 2 * scores["m_three"], "three viewers after none are damped"
    assert scores["m_falling"] < 0
    assert [movie for movie, _ in found["Drama"]] == ["m_rising", "m_falling"]
    assert [movie for movie, _ in found["War"]] == ["m_falling"]


def test_nothing_trends_on_an_empty_platform(spark: "SparkSession") -> None:
    watched = Watched()
    watched.add("m_one", None, days_ago=40)
    assert _trending(spark, watched) == {}


def test_the_weights_of_the_days_add_up_to_one() -> None:
    from jobs.spark.trending import FAST_DAYS, SLOW_DAYS, WINDOW_DAYS, weight

    for half_life in (FAST_DAYS, SLOW_DAYS):
        weights = [weight(age, half_life) for age in range(WINDOW_DAYS)]
        assert sum(weights) == pytest.approx(1)
        assert weights[int(half_life)] == pytest.approx(weights[0] / 2)


def test_candidates_are_ranked_by_the_bytes_that_they_would_save(spark: "SparkSession") -> None:
    from jobs.spark.saving import Saving, candidates

    table = [
        Saving("h264", 480, "hevc", 0.5, "s"),
        Saving("h264", 2160, "hevc", 0.6, "s"),
        Saving("vp9", 2160, "av1", 0.2, "s"),
    ]
    watched = Watched()
    watched.add("m_estimated", "p", watch_seconds=3600.0, mean_kbps=4000.0, top_height=1080)
    watched.add("m_counted", "p", watch_seconds=60.0, sent_bytes=10_000_000_000, top_height=480)
    watched.add("m_robot", "p", is_robot=True, sent_bytes=10**12, top_height=480)
    watched.add("m_beyond", "p", sent_bytes=10**12, top_height=4320)
    found = [tuple(row) for row in candidates(watched.frame(spark), table).collect()]
    assert [row[:5] for row in found] == [
        (1, "m_counted", pytest.approx(1 / 60, abs=1e-6), 10_000_000_000, 5_000_000_000),
        (2, "m_estimated", 1.0, 1_800_000_000, 1_080_000_000),
    ]
    assert found[1][5] == "h264 at up to 2160 lines: 60% less with hevc, of the bytes of most viewers"


def test_the_table_of_savings_is_sound() -> None:
    from jobs.spark.saving import read_table

    rows = read_table()
    assert all(row.source for row in rows), "each saving says who measured it"
    lines = [row.lines for row in rows if row.codec == "h264"]
    assert lines == sorted(set(lines))
    assert lines[-1] >= 2160


def test_watch_shares_and_tastes(spark: "SparkSession") -> None:
    from jobs.spark.taste import genre_tastes, watch_shares

    watched = Watched()
    watched.add("m_one", "p_one", watch_seconds=30.0)
    watched.add("m_one", "p_one", watch_seconds=90.0, started_at_ms=2_000_000)
    watched.add("m_two", "p_one", watch_seconds=60.0)
    watched.add("m_glimpsed", "p_one", watch_seconds=2.0)
    watched.add("m_two", "p_robot", is_robot=True)
    shares = watch_shares(watched.frame(spark))
    rows = {row["movie_id"]: (row["profile_id"], row["share"], row["at_ms"]) for row in shares.collect()}
    assert rows == {"m_one": ("p_one", 1.0, 2_000_000), "m_two": ("p_one", 0.6, 1_000_000)}
    pairs = [("m_one", "Drama"), ("m_one", "War"), ("m_two", "Drama")]
    tastes = genre_tastes(shares, spark.createDataFrame(pairs, "movie_id string, genre string")).collect()
    assert [tuple(row) for row in tastes] == [
        ("p_one", "Drama", pytest.approx(2 / 3, abs=1e-6)),
        ("p_one", "War", pytest.approx(1 / 3, abs=1e-6)),
    ]
