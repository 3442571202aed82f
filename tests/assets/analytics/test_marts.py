"""dbt builds the marts on a real PostgreSQL: empty, with a week of facts, and with a bad batch that is held back."""

import json
from datetime import timedelta
from typing import Any

import pandas
import psycopg
import pytest

from assets.analytics import dbt_project, suites
from assets.analytics.judging import Subject, judge
from assets.analytics.marts import KEYS, LAST
from marquee.settings import Settings
from tests.assets.analytics.conftest import Run, failed_checks, materialized
from tests.harness.facts import FIRST_DAY, add_day, add_profile, add_title, week

pytestmark = pytest.mark.timeout(1500)

ALL = {f"marts/{name}" for name in (*KEYS, LAST)}
CONTRACT = {
    "daily_watch": "day movie_id title attempts plays viewers completions watch_hours",
    "title_performance": "movie_id title first_day last_day plays viewers completions completion_rate watch_hours "
    "watch_hours_7d watch_hours_previous_7d startup_p95_seconds rebuffer_ratio failures",
    "retention_weekly": "cohort_week weeks_since profiles retained retention",
    "search_quality": "day query asked without_results opened mean_place",
    "quality_of_experience_daily": "day cut value attempts plays exits_before_start_rate start_failure_rate "
    "playback_failure_rate startup_p50_seconds startup_p95_seconds rebuffer_ratio mean_kbps watch_hours",
    "failures_daily": "day error_code start_failures playback_failures",
    "encoding_cost": "movie_id title version core_hours source_bytes published_bytes",
    "mart_build": "name built_at through rows",
}
"""What the API reads: pages are written to these columns."""


def columns(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = %s GROUP BY table_name",
        [schema],
    )
    return dict(rows.fetchall())


def seed(connection: psycopg.Connection) -> None:
    """Two weeks of two titles, of which one grows; a title of the catalogue that nobody watched; costs."""
    for number in (1, 2, 3):
        add_title(connection, f"m_{number}", f"Film {number}")
    for day in week():
        add_day(connection, day, ["m_1", "m_2"])
    for day in week(FIRST_DAY + timedelta(days=7)):
        add_day(connection, day, ["m_1"], plays=80)
    connection.execute(
        "INSERT INTO title_version (movie_id, version, upload_id, state, stage) "
        "VALUES ('m_1', 1, 'u_1', 'playable', 'title')"
    )
    connection.execute(
        "INSERT INTO version_cost (movie_id, version, core_seconds, source_bytes, published_bytes) "
        "VALUES ('m_1', 1, 7200, 100, 50)"
    )
    connection.execute("INSERT INTO daily_search VALUES (%s, 'asked before midnight', 0, 0, 3, 6, 3)", [FIRST_DAY])
    add_profile(connection, "p_stays", [FIRST_DAY, FIRST_DAY + timedelta(days=8)])
    add_profile(connection, "p_leaves", [FIRST_DAY + timedelta(days=1)])
    add_profile(connection, "p_older", [FIRST_DAY + timedelta(days=9)], history_from=FIRST_DAY - timedelta(days=14))


def test_an_empty_platform_has_empty_marts_and_a_week_gives_the_right_numbers(
    run: Run, connection: psycopg.Connection, own_settings: Settings
) -> None:
    empty = run("analytics_marts")
    assert empty.success, failed_checks(empty)
    assert materialized(empty) == {*ALL, "catalogue", "encoding_costs", "accepted_marts"}
    assert columns(connection, "marts") == CONTRACT
    assert columns(connection, "marts_next") == {}, "the schema was swapped, not copied"
    builds = connection.execute(
        "SELECT name, rows, through FROM marts.mart_build WHERE name <> 'encoding_cost'"
    ).fetchall()
    assert {row[1:] for row in builds} == {(0, None)}

    seed(connection)
    filled = run("analytics_marts")
    assert filled.success, failed_checks(filled)
    one = connection.execute(
        "SELECT title, attempts, plays, viewers, completions, watch_hours FROM marts.daily_watch "
        "WHERE day = %s AND movie_id = 'm_2'",
        [FIRST_DAY],
    ).fetchall()
    assert one == [("Film 2", 50, 40, 20, 10, 4.0)]
    titles = connection.execute(
        "SELECT movie_id, first_day, last_day, plays, completion_rate, watch_hours, watch_hours_7d, watch_hours_previous_7d, "
        "startup_p95_seconds, round(rebuffer_ratio::numeric, 6)::float8, failures FROM marts.title_performance ORDER BY movie_id"
    ).fetchall()
    ratio = round(3.6 / 363.6, 6)
    first, last = FIRST_DAY, FIRST_DAY + timedelta(days=13)
    assert titles == [
        ("m_1", first, last, 840, 0.25, 84.0, 56.0, 28.0, 2.5, ratio, 84),
        ("m_2", first, first + timedelta(days=6), 280, 0.25, 28.0, 0.0, 28.0, 2.5, ratio, 42),
    ], "a title that nobody watched has no row"
    retention = connection.execute(
        "SELECT cohort_week, weeks_since, profiles, retained, retention FROM marts.retention_weekly ORDER BY 1, 2"
    ).fetchall()
    before = FIRST_DAY - timedelta(days=14)
    assert retention == [
        (before, 2, 1, 0, 0.0),
        (before, 3, 1, 1, 1.0),
        (FIRST_DAY, 0, 2, 2, 1.0),
        (FIRST_DAY, 1, 2, 1, 0.5),
    ]
    searches = connection.execute(
        "SELECT query, asked, without_results, opened, mean_place FROM marts.search_quality WHERE day = %s ORDER BY query",
        [FIRST_DAY],
    ).fetchall()
    before_midnight = ("asked before midnight", 0, 0, 3, 2.0)
    assert sorted(searches) == [
        ("(rare)", 9, 7, 1, 3.0),
        before_midnight,
        ("leo", 9, 0, 4, 1.5),
        ("zzz", 3, 3, 0, None),
    ], "a query that one person may have typed is named, or a number is wrong"
    quality = connection.execute(
        "SELECT attempts, plays, exits_before_start_rate, start_failure_rate, playback_failure_rate, startup_p95_seconds, "
        "watch_hours "
        "FROM marts.quality_of_experience_daily WHERE day = %s AND cut = 'title' AND value = 'm_1'",
        [FIRST_DAY],
    ).fetchall()
    assert quality == [(50, 40, 0.12, 0.08, 0.05, 2.5, 4.0)]
    assert connection.execute("SELECT count(*), sum(start_failures) FROM marts.failures_daily").fetchall() == [(14, 56)]
    costs = connection.execute(
        "SELECT title, version, core_hours, source_bytes, published_bytes FROM marts.encoding_cost"
    ).fetchall()
    assert costs == [("Film 1", 1, 2.0, 100, 50)]
    build = connection.execute("SELECT rows, through::date FROM marts.mart_build WHERE name = 'daily_watch'").fetchall()
    assert build == [(21, FIRST_DAY + timedelta(days=14))]

    _shown_as_dbt_says(own_settings)
    # Half of the facts are gone: people keep the marts of before, and the engineer reads which expectation it was.
    connection.execute("DELETE FROM daily_title WHERE day > %s", [FIRST_DAY + timedelta(days=2)])
    halved = run("analytics_marts")
    assert not halved.success
    assert "`daily_watch` has 10 rows or more" in failed_checks(halved)["marts_are_sound"]
    assert "accepted_marts" not in materialized(halved)
    assert connection.execute("SELECT sum(watch_hours) FROM marts.daily_watch").fetchall() == [(112.0,)]

    # dbt's own tests hold back too, and say which rows.
    connection.execute("UPDATE daily_quality SET rebuffer_ratio = 7 WHERE cut = 'all' AND day = %s", [FIRST_DAY])
    wrong = run("analytics_marts", only=[*ALL, "accepted_marts"])
    assert not wrong.success
    assert "1 rows do not pass" in failed_checks(wrong)["between_rebuffer_ratio"]
    assert "accepted_marts" not in materialized(wrong)
    assert connection.execute("SELECT sum(watch_hours) FROM marts.daily_watch").fetchall() == [(112.0,)]

    # A person who knows why it is smaller lets it pass; a build that no check has seen is not taken.
    connection.execute("UPDATE daily_quality SET rebuffer_ratio = 0 WHERE cut = 'all' AND day = %s", [FIRST_DAY])
    smaller = {"ops": {"marts__mart_build_marts_are_sound": {"config": {"accept_smaller": True}}}}
    passed = run("analytics_marts", only=[*ALL], run_config=smaller)
    assert passed.success, failed_checks(passed)
    connection.execute("UPDATE marts_next.mart_build SET built_at = built_at + interval '1 second'")
    unseen = run("analytics_marts", only=["accepted_marts"])
    assert not unseen.success
    assert connection.execute("SELECT sum(watch_hours) FROM marts.daily_watch").fetchall() == [(112.0,)]
    connection.execute("UPDATE marts_next.mart_build SET built_at = built_at - interval '1 second'")
    assert run("analytics_marts", only=["accepted_marts"]).success
    assert connection.execute("SELECT sum(watch_hours) FROM marts.daily_watch").fetchall() < [(112.0,)]
    _no_secret_on_disk(own_settings)


def test_one_viewers_odd_value_does_not_hold_back_everybodys_marts(own_settings: Settings) -> None:
    def refusal(name: str, column: str, rows: int, odd: int, value: float) -> str:
        frame = pandas.DataFrame(
            {
                "row_key": range(rows),
                "watch_hours": 1.0,
                "hours_per_viewer": 1.0,
                "completion_rate": 0.5,
                "rebuffer_ratio": 0.0,
            }
        )
        frame.loc[: odd - 1, column] = value
        subject = Subject(name, frame, ("row_key",), suites.mart(name, ("row_key",), rows=rows, fewest=0))
        return judge(own_settings, "marts", [subject]).reason or ""

    assert refusal("daily_watch", "hours_per_viewer", 12, 1, 30.0) == ""
    assert refusal("daily_watch", "hours_per_viewer", 300, 2, 30.0) == ""
    assert "24 hours: 30 of 300 rows" in refusal("daily_watch", "hours_per_viewer", 300, 30, 30.0)
    assert "0 to 1: 1 of 12 rows" in refusal("title_performance", "rebuffer_ratio", 12, 1, 7.0), (
        "a share of counts is never above 1: that is a fault of ours"
    )


def _no_secret_on_disk(settings: Settings) -> None:
    password = settings.database.split(":")[2].split("@")[0].encode()
    for folder in (settings.state / "dbt", settings.state / "dagster"):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files, f"{folder} is empty: this looks at nothing"
        for path in files:
            assert password not in path.read_bytes(), f"{path} has the database's password"


def _shown_as_dbt_says(settings: Settings) -> None:
    """What the location reads of the project's files is what dbt's manifest says: marts, what they are made of, and tests."""
    manifest = json.loads((settings.state / "dbt" / "target" / "manifest.json").read_text())
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    names = {name for name, node in models.items() if node["fqn"][1] == "marts"}
    assert {mart.name for mart in dbt_project.marts()} == names
    tests: dict[str, set[str]] = {name: set() for name in names}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            given = node.get("test_metadata")
            first = (node.get("attached_node") or node["depends_on"]["nodes"][0]).split(".")[-1]
            if first in names:
                tests[first].add(dbt_project.check_name(given["name"], node["column_name"]) if given else node["name"])
    for mart in dbt_project.marts():
        above = {each.split(".")[-1] for each in models[mart.name]["depends_on"]["nodes"]}
        assert set(mart.marts) == above & names, mart.name
        assert set(mart.assets) == _writers(manifest, f"model.marquee.{mart.name}"), mart.name
        assert set(mart.tests) == tests[mart.name], mart.name
        assert all(mart.columns.values()), f"a column of {mart.name} has no description"


def _writers(manifest: dict[str, Any], unique_id: str) -> set[str]:
    """The assets that write the tables below a model, other marts left out."""
    found: set[str] = set()
    for above in manifest["nodes"][unique_id]["depends_on"]["nodes"]:
        if above.startswith("source."):
            found |= {asset for asset in [manifest["sources"][above]["meta"].get("asset")] if asset}
        elif manifest["nodes"][above]["fqn"][1] != "marts":
            found |= _writers(manifest, above)
    return found
