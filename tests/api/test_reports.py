"""Reports for engineers: who may read them, pages, sources and ages, CSV that runs nothing, a warehouse that is not there."""

import csv
import io
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.app import create_app
from marquee.settings import Settings
from marquee.stores.schema.migrate import migrate
from tests.api.conftest import Person
from tests.harness.marts import build_marts

Client = AsyncTestClient[Litestar]
TODAY = datetime.now(UTC).date()
EVERY = ("performance", "quality", "failures", "searches", "retention", "costs")
FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "＝1+1"]  # noqa: RUF001


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def performance(number: int, hours: float, *, title: str = "A film", last_day: date = TODAY) -> tuple[object, ...]:
    rate = None if number % 3 else 0.5
    return (f"m_{number:020}", title, ago(400), last_day, 9, 8, 4, rate, hours, 2.0, 1.0, 1.25, 0.01, number)


MARTS = {
    "title_performance": [
        *(performance(number, 3.0 if number % 2 else 1.5 * number) for number in range(7)),
        performance(99, 500.0, title="Long ago", last_day=ago(100)),
    ],
    "quality_of_experience_daily": [
        (ago(n), "all", "", 10, 9, 0.05, 0.02, None if n == 1 else 0.01, 0.8, 2.5, 0.004, 2800.0, 12.0)
        for n in (0, 1, 2, 40)
    ]
    + [(ago(0), "device", device, 5, 5, 0, 0, 0, 0.5, 1.0, 0.0, 3000.0, 1.0) for device in ("tv", "phone")],
    "failures_daily": [(ago(0), "media-decode", 2, 1), (ago(1), "media-decode", 3, 0), (ago(1), "network", 0, 1)],
    "search_quality": [
        (ago(0), "leo", 5, 0, 4, 1.0),
        (ago(1), "leo", 5, 0, 1, 6.0),
        (ago(1), "xyzzy", 3, 3, 0, None),
        (ago(0), "(rare)", 9, 2, 1, 2.0),
    ],
    "retention_weekly": [(ago(14), 0, 10, 10, 1.0), (ago(14), 1, 10, 4, 0.4)],
    "encoding_cost": [("m_1", "One", 2, 3.5, 10**12, 5), ("m_2", "Two", 1, 0.0, 0, 0)],
}


@pytest.fixture
def platform(api_settings: Settings, empty_database: str) -> Settings:
    migrate(empty_database)
    return api_settings.model_copy(update={"database_url": empty_database})


@pytest.fixture
async def api(platform: Settings) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(platform), raise_server_exceptions=False) as client:
        yield client


async def report(api: Client, person: Person, name: str, **query: Any) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/analytics/{name}", params=query, headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def exported(api: Client, person: Person, name: str, **query: Any) -> list[dict[str, str]]:
    headers = {**person.headers, "Accept": "text/csv"}
    answer = await api.get(f"/api/v1/analytics/{name}", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="marquee-')
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def test_a_warehouse_that_is_not_there_is_told_and_no_error(
    api: Client, platform: Settings, viewer: Person, engineer: Person
) -> None:
    for name in EVERY:
        found = await report(api, engineer, name)
        assert (found["source"], found["items"], found["next_cursor"]) == (None, [], None)
        assert "code location analytics" in found["sentence"]
        head = (await api.get(f"/api/v1/analytics/{name}?format=csv", headers=engineer.headers)).text
        assert len(head.splitlines()) == 1, "without rows a CSV file has its head line alone"
        refused = await api.get(f"/api/v1/analytics/{name}", headers=viewer.headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
        assert (await api.get(f"/api/v1/analytics/{name}")).status_code == 401
    with psycopg.connect(platform.database) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.mart_build (name text, built_at timestamptz, through date, rows int)")
        connection.execute("INSERT INTO marts.mart_build VALUES ('failures_daily', now(), NULL, 0)")
        connection.execute("CREATE TABLE marts.failures_daily (of_another_release int)")
    for name in EVERY:  # half built, and of another release
        assert (await report(api, engineer, name))["source"] is None


async def test_each_report_has_its_rows_its_source_and_the_sources_age(
    api: Client, platform: Settings, engineer: Person
) -> None:
    build_marts(platform.database, MARTS, built_days_ago=2)
    found = {name: await report(api, engineer, name) for name in EVERY}
    for name, one in found.items():
        assert one["sentence"] is None
        assert 2 * 86_400 - 5 < one["source"]["age_seconds"] < 3 * 86_400, name
        assert one["source"]["through"] is not None
    assert found["quality"]["source"]["mart"] == "quality_of_experience_daily"
    titles = found["performance"]["items"]
    assert [one["watch_hours"] for one in titles] == sorted((one["watch_hours"] for one in titles), reverse=True)
    assert "Long ago" not in [one["title"] for one in titles]
    assert titles[0]["completion_rate"] in (None, 0.5)
    assert [(one["day"], one["playback_failure_rate"]) for one in found["quality"]["items"]] == [
        (ago(2).isoformat(), 0.01),
        (ago(1).isoformat(), None),
        (ago(0).isoformat(), 0.01),
    ]
    assert [
        (one["error_code"], one["start_failures"], one["playback_failures"]) for one in found["failures"]["items"]
    ] == [
        ("media-decode", 5, 1),
        ("network", 0, 1),
    ]
    searches = {one["query"]: one for one in found["searches"]["items"]}
    assert list(searches) == ["xyzzy", "(rare)", "leo"], "queries without results come first"
    assert (searches["leo"]["asked"], searches["leo"]["mean_place"]) == (10, 2.0), "the mean place of 5 opened titles"
    assert [one["retention"] for one in found["retention"]["items"]] == [1.0, 0.4]
    assert found["costs"]["items"][0]["source_bytes"] == 10**12

    assert len((await report(api, engineer, "quality", days=1))["items"]) == 1, "today alone"
    assert len((await report(api, engineer, "quality", days=41))["items"]) == 4
    assert [one["value"] for one in (await report(api, engineer, "quality", cut="device"))["items"]] == ["phone", "tv"]
    assert len((await report(api, engineer, "performance", days=101))["items"]) == 8
    by_day = (await report(api, engineer, "failures", by="day"))["items"]
    assert [one["day"] for one in by_day] == [ago(1).isoformat(), ago(1).isoformat(), ago(0).isoformat()]
    assert len((await report(api, engineer, "searches", by="day"))["items"]) == 4
    build_marts(platform.database, {})
    for name in EVERY:  # the marts were swapped, and are empty
        again = await report(api, engineer, name)
        assert (again["items"], again["source"]["rows"], again["sentence"]) == ([], 0, None)


async def test_a_report_is_paged_to_its_end_without_gap_or_double(
    api: Client, platform: Settings, engineer: Person
) -> None:
    build_marts(platform.database, MARTS)
    for name, query in (
        *((name, {}) for name in EVERY),
        ("failures", {"by": "day"}),
        ("searches", {"by": "day"}),
        ("quality", {"cut": "device"}),
    ):
        whole = (await report(api, engineer, name, limit=500, **query))["items"]
        assert len(whole) >= 2
        for limit in (1, 2, 3):
            found: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                page = await report(api, engineer, name, limit=limit, cursor=cursor, **query)
                found += page["items"]
                cursor = page["next_cursor"]
                assert len(found) <= len(whole), f"{name} has no end"
            assert found == whole, f"{name}, {limit} a page"
    cursor = (await report(api, engineer, "performance", limit=1))["next_cursor"]
    for path in ("performance?days=7", "costs?", "performance?format=json&days=29"):
        answer = await api.get(f"/api/v1/analytics/{path}&cursor={cursor}", headers=engineer.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid"), path


async def test_csv_has_every_row_and_no_cell_is_a_formula(
    api: Client, platform: Settings, engineer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = [*FORMULAS, 'He said "no", twice', "two\nlines", "Grün, 緑"]
    random.shuffle(odd)
    rows = [performance(n, -1.0 - n, title=title) for n, title in enumerate(odd)]
    build_marts(platform.database, {**MARTS, "title_performance": rows})
    found = await exported(api, engineer, "performance")
    assert [row["title"].removeprefix("'") for row in found] == odd
    for row in found:
        cells = [(name, cell) for name, cell in row.items() if name != "watch_hours"]
        running = [cell for _, cell in cells if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]  # noqa: RUF001
        assert not running, f"a spreadsheet would run {running}"
    assert [float(row["watch_hours"]) for row in found] == [-1.0 - n for n in range(len(odd))], "numbers stay numbers"
    assert found[1]["completion_rate"] == "", "nothing was counted, and the cell is not empty"
    assert (await exported(api, engineer, "searches", format="csv"))[0]["query"] == "xyzzy"
    explicit = await api.get("/api/v1/analytics/costs?format=json", headers={**engineer.headers, "Accept": "text/csv"})
    assert explicit.headers["content-type"].startswith("application/json")

    monkeypatch.setattr("api.analytics.service.MAX_CSV_ROWS", 4)
    headers = {**engineer.headers, "Accept": "text/csv"}
    first = await api.get("/api/v1/analytics/performance", headers=headers)
    rest = await api.get(
        "/api/v1/analytics/performance", params={"cursor": first.headers["x-next-cursor"]}, headers=headers
    )
    assert len(list(csv.reader(io.StringIO(first.text, newline="")))) == 5
    assert "x-next-cursor" in rest.headers, "eleven rows are three files"


async def test_a_range_that_cannot_be_is_refused(client: Client, engineer: Person) -> None:
    for query in (
        *("performance?days=0", "performance?days=731", "performance?days=x", "performance?limit=501"),
        *("quality?cut=nonsense", "failures?by=nonsense", "costs?format=xml"),
    ):
        answer = await client.get(f"/api/v1/analytics/{query}", headers=engineer.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "input-invalid"), f"{query}: {answer.text}"
