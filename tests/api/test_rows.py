"""Rows: one query however many callers miss, purges that win over fills, stale rows, pages."""

import asyncio
import contextlib
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from purgatory import AsyncCircuitBreakerFactory

from api.rows.shared import SharedRows
from marquee.domain.rows import GENRES
from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.opened import Stores
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.row_cache.keys import keys_of_title, row_key
from tests.api.conftest import People, Person
from tests.harness.api.seeding import TRACKS, Seeder
from tests.harness.api.watched_rows import WatchedRows, own_row

Client = AsyncTestClient[Litestar]


def _process(stores: Stores, settings: Settings, rows: HomeRows) -> SharedRows:
    """The row services of one API process."""
    return SharedRows(
        rows, stores.findings, stores.row_cache, stores.coordination, AsyncCircuitBreakerFactory(), settings
    )


async def test_200_callers_of_two_processes_that_miss_at_once_make_one_query(
    stores: Stores, seed: Seeder, api_settings: Settings
) -> None:
    row = own_row()
    movie_id = await seed.playable("Wanted by all", genres=[str(row.genre)])
    watched = WatchedRows(stores.catalogue.rows)
    processes = [_process(stores, api_settings, watched) for _ in range(2)]
    found = await asyncio.gather(*(processes[number % 2].beginning(row) for number in range(200)))
    assert all([item.movie_id for item in one.items] == [movie_id] for one in found), "a caller got another row"
    assert watched.queries == 1, f"{watched.queries} queries for one row that 200 callers missed at once"
    await processes[0].beginning(row)
    assert watched.queries == 1, "a cached row was queried again"


async def test_a_purge_during_a_fill_wins(stores: Stores, seed: Seeder, api_settings: Settings) -> None:
    row = own_row()
    movie_id = await seed.playable("Leaves", genres=[str(row.genre)])
    watched = WatchedRows(stores.catalogue.rows)
    rows, other = (_process(stores, api_settings, watched) for _ in range(2))
    watched.go_on.clear()
    slow = asyncio.create_task(rows.beginning(row))
    await watched.asked.wait()
    await stores.catalogue.titles.unpublish(movie_id)
    await rows.purge([row.row_id])
    watched.go_on.set()
    await slow
    for name, process in (("the same", rows), ("another", other)):
        assert (await process.beginning(row)).items == [], f"{name} process serves what was read before the purge"


async def test_a_row_whose_query_fails_is_served_stale(stores: Stores, seed: Seeder, api_settings: Settings) -> None:
    row = own_row()
    movie_id = await seed.playable("Old but there", genres=[str(row.genre)])
    settings = api_settings.model_copy(update={"row_ttl_seconds": 0})
    watched = WatchedRows(stores.catalogue.rows)
    await _process(stores, settings, watched).beginning(row)
    cached = await stores.row_cache.get(row_key(row.row_id))
    assert cached is not None
    assert not cached.fresh, "the test wants a stale row"
    watched.failing = True
    found = await _process(stores, settings, watched).beginning(row)
    assert [item.movie_id for item in found.items] == [movie_id]
    assert watched.queries == 2, "the stale row was served without trying for a fresh one"


async def test_a_slow_query_costs_its_callers_the_time_out_and_no_more(
    stores: Stores, seed: Seeder, api_settings: Settings
) -> None:
    row = own_row()
    movie_id = await seed.playable("Slow", genres=[str(row.genre)])
    settings = api_settings.model_copy(update={"row_timeout_seconds": 2.0})
    watched = WatchedRows(stores.catalogue.rows)
    watched.go_on.clear()
    rows = _process(stores, settings, watched)
    # The query hangs for ever: only the row's own time-out can end this, long before the test's.
    async with asyncio.timeout(30):
        with pytest.raises(StoreUnavailable):
            await rows.beginning(row)
    watched.go_on.set()
    found = None
    async with asyncio.timeout(30):
        while found is None:
            # Whoever joins the hanging fill in its last moment shares its end; whoever comes next must have the row.
            with contextlib.suppress(StoreUnavailable):
                found = await rows.beginning(row)
    assert [item.movie_id for item in found.items] == [movie_id], "a row that hung once is lost"


async def test_home_has_every_filled_row_in_order_and_leaves_empty_ones_out(
    client: Client, people: People, seed: Seeder, stores: Stores
) -> None:
    person = await people.join()
    watched = await seed.playable("Being watched", genres=["Drama"], duration_seconds=100)
    finished = await seed.playable("Finished", genres=["Comedy"], duration_seconds=100)
    await stores.row_cache.purge(keys_of_title(GENRES))
    for movie_id, seconds in ((watched, 30), (finished, 99)):
        body = {"movie_id": movie_id, "position_seconds": seconds}
        assert (await client.post("/api/v1/stream/progress", json=body, headers=person.headers)).status_code == 204
    answer = await client.get("/api/v1/home", params={"limit": 3, "cursor": ""}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    rows = {row["id"]: row for row in answer.json()["rows"]}
    assert list(rows)[:3] == ["continue-watching", "new-releases", "genre-drama"], (
        "no batch is accepted: nothing is trending"
    )
    assert [item["movie_id"] for item in rows["continue-watching"]["items"]] == [watched], "a finished title goes on"
    item = rows["continue-watching"]["items"][0]
    assert (item["resume_position_seconds"], item["watched_percent"]) == (30.0, 30.0)
    assert [item["movie_id"] for item in rows["new-releases"]["items"]][:2] == [finished, watched]
    assert all(row["items"] for row in rows.values()), "an empty row was shown"
    assert all(len(row["items"]) <= 3 for row in rows.values())
    first = rows["new-releases"]["items"][0]
    assert {"movie_id", "title", "poster_url", "duration_seconds"} <= set(first)
    other = await people.join()
    theirs = await client.get("/api/v1/home", headers=other.headers)
    assert "continue-watching" not in [row["id"] for row in theirs.json()["rows"]], "a row leaked to another viewer"


async def test_only_the_first_title_of_a_row_has_its_wide_picture(
    client: Client, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    old = await seed.playable("Of an earlier release", genres=["Western"])
    new = await seed.playable("Wide", genres=["Western"], backdrop_widths=[640, 1280], tracks=TRACKS)
    await stores.row_cache.purge(keys_of_title(["Western"]))
    items: list[dict[str, Any]] = []
    async with asyncio.timeout(30):  # a purge outside of the process is seen once its own copy has aged
        while new not in [item["movie_id"] for item in items]:
            answer = await client.get("/api/v1/rows/genre-western", params={"limit": 20}, headers=viewer.headers)
            items = answer.json()["items"]
    for _ in ("asked", "cached"):
        answer = await client.get("/api/v1/rows/genre-western", params={"limit": 20}, headers=viewer.headers)
        items = answer.json()["items"]
        assert items[0]["movie_id"] == new
        assert [(one["width"], one["height"]) for one in items[0]["backdrop"]] == [(640, 360), (1280, 720)]
        assert all(one["url"].endswith(f"backdrop-{one['width']}.jpg") for one in items[0]["backdrop"])
        assert not [item for item in items[1:] if "backdrop" in item], "wide pictures that no page shows"
    title = (await client.get(f"/api/v1/titles/{new}", headers=viewer.headers)).json()
    assert title["backdrop"] == items[0]["backdrop"]
    assert title["tracks"]["picture"] == {"name": "720p", "width": 1280, "height": 720, "codecs": []}
    assert [one["channels"] for one in title["tracks"]["sound"]] == [2, 2, 6]
    assert [one["hearing_impaired"] for one in title["tracks"]["text"]] == [True, False]
    earlier = (await client.get(f"/api/v1/titles/{old}", headers=viewer.headers)).json()
    assert (earlier["backdrop"], earlier["tracks"]) == ([], None)


async def test_a_row_is_paged_to_its_end_without_gap_or_double(
    client: Client, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    made = {await seed.playable(f"Paged {number}", genres=["Mystery"]) for number in range(7)}
    await stores.row_cache.purge(keys_of_title(["Mystery"]))

    async def page_through() -> list[str]:
        found: list[str] = []
        cursor = ""
        for _ in range(30):
            query = {"limit": 3, "cursor": cursor}
            page = (await client.get("/api/v1/rows/genre-mystery", params=query, headers=viewer.headers)).json()
            found += [item["movie_id"] for item in page["items"]]
            cursor = page["next_cursor"] or ""
            if not cursor:
                break
        return found

    found = await page_through()
    # The process may hold the row of an earlier test for a moment longer than the purge.
    async with asyncio.timeout(10):
        while not made <= set(found):
            await asyncio.sleep(0.05)
            found = await page_through()
    assert len(found) == len(set(found)), "a title stands on two pages"


@pytest.mark.parametrize("step_ms", [1000, 0], ids=["one after the other", "at one moment"])
async def test_continue_watching_is_paged_too(
    client: Client, people: People, seed: Seeder, stores: Stores, step_ms: int
) -> None:
    person = await people.join()
    movie_ids = sorted([await seed.playable(f"Half {number}") for number in range(5)])
    for number, movie_id in enumerate(movie_ids):
        at_ms = 1_700_000_000_000 - number * step_ms
        await stores.resume_positions.record(ResumePosition(person.profile_id, movie_id, 9000, at_ms))
    path, found, cursor = "/api/v1/rows/continue-watching", [], ""
    for _ in range(9):
        page = (await client.get(path, params={"limit": 2, "cursor": cursor}, headers=person.headers)).json()
        found += [item["movie_id"] for item in page["items"]]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    assert found == movie_ids, "a title is repeated or skipped between pages"
