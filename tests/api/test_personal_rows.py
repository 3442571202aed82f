"""What viewers watch becomes what they see: trending titles, "Because you watched", the order of genres, similar titles."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.app import create_app
from marquee.domain.rows import MIN_BECAUSE_ITEMS, ROWS
from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.analytics.acceptance import follow_accepted
from marquee.stores.opened import Stores, open_stores
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.row_cache.keys import keys_of_batch
from marquee.stores.schema.migrate import migrate
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder
from tests.harness.batches import write_batch, write_watching

Client = AsyncTestClient[Litestar]
DATABASES = itertools.count(5)
HOUR = 3600.0


@pytest.fixture
def platform(api_settings: Settings, empty_database: str) -> Settings:
    """The session's engines with a database and a row cache of this test: no other test has batches."""
    migrate(empty_database)
    return api_settings.model_copy(
        update={"database_url": empty_database, "row_cache_url": f"{api_settings.row_cache}/{next(DATABASES) % 16}"}
    )


@pytest.fixture
async def own_stores(platform: Settings, stores: Stores) -> AsyncIterator[Stores]:
    async with open_stores(platform) as opened:
        yield opened


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Client]:
    """An API that starts now: it has read no row before."""
    async with AsyncTestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


async def films(stores: Stores, count: int, genre: str = "Drama") -> list[str]:
    seed = Seeder(stores)
    return [await seed.playable(f"{genre} {n}", genres=[genre], duration_seconds=100.0) for n in range(count)]


async def home(client: Client, person: Person, **query: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/home", params=query, headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def row_of(page: dict[str, Any], row_id: str) -> list[str]:
    return [item["movie_id"] for row in page["rows"] if row["id"] == row_id for item in row["items"]]


def row_ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["rows"]]


async def watch_to(stores: Stores, person: Person, movie_id: str, seconds: float, at_ms: int = 1) -> None:
    await stores.resume_positions.record(ResumePosition(person.profile_id, movie_id, int(seconds * 1000), at_ms))


async def test_home_shows_what_is_trending_and_what_a_profile_may_like_and_no_one_elses(
    platform: Settings, own_stores: Stores, viewer: Person, engineer: Person
) -> None:
    dramas, wars = await films(own_stores, 12), await films(own_stores, 12, "War")
    write_batch(platform.database, "popularity", popularity={"": [wars[3], dramas[0]]})
    write_batch(
        platform.database,
        "suggestions",
        suggestions={(viewer.profile_id, dramas[0]): dramas[1:], (viewer.profile_id, wars[0]): wars[1:]},
        taste={viewer.profile_id: {"War": 0.9, "Drama": 0.1}},
    )
    write_watching(platform.database, viewer.profile_id, seconds=80 * HOUR)
    await watch_to(own_stores, viewer, dramas[0], 30)
    async with serving(platform) as api:
        page = await home(api, viewer, limit=10)
        because = sorted(f"because-{movie_id}" for movie_id in (dramas[0], wars[0]))
        assert row_ids(page) == ["continue-watching", "new-releases", "trending", *because, "genre-war", "genre-drama"]
        assert "degraded" not in page
        assert row_of(page, "trending") == [wars[3], dramas[0]]
        assert row_of(page, f"because-{wars[0]}") == wars[1:11]
        titles = {row["id"]: row["title"] for row in page["rows"]}
        assert (titles["trending"], titles[f"because-{wars[0]}"]) == ("Trending now", "Because you watched War 0")
        other = await home(api, engineer)
        assert row_ids(other) == ["new-releases", "trending", "genre-drama", "genre-war"], (
            "another profile's rows are shown"
        )

        path = f"/api/v1/rows/because-{wars[0]}"
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            row = (await api.get(path, params={"limit": 4, "cursor": cursor}, headers=viewer.headers)).json()
            found += [item["movie_id"] for item in row["items"]]
            cursor = row["next_cursor"]
        assert found == wars[1:]
        refused = await api.get(path, headers=engineer.headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "row-unknown")
        first = (await api.get(path, params={"limit": 4}, headers=viewer.headers)).json()["next_cursor"]
        write_batch(platform.database, "suggestions", suggestions={})
        rest = await api.get(path, params={"cursor": first}, headers=viewer.headers)
        assert (rest.status_code, rest.json()["items"], rest.json()["next_cursor"]) == (200, [], None)


@pytest.mark.parametrize("finished", [0, 1])
async def test_a_row_with_too_few_titles_to_suggest_is_left_out(
    platform: Settings, own_stores: Stores, viewer: Person, finished: int
) -> None:
    why, *others = await films(own_stores, 1 + MIN_BECAUSE_ITEMS)
    write_batch(platform.database, "suggestions", suggestions={(viewer.profile_id, why): others})
    for movie_id in others[:finished]:
        await watch_to(own_stores, viewer, movie_id, 95)  # of 100 s: watched to its end
    await watch_to(own_stores, viewer, others[5], 94)  # not to its end
    async with serving(platform) as api:
        shown = row_of(await home(api, viewer), f"because-{why}")
        assert shown == ([] if finished else others)
        answer = await api.get(f"/api/v1/rows/because-{why}", headers=viewer.headers)
        assert answer.status_code == (404 if finished else 200)


async def test_two_rows_of_suggestions_do_not_repeat_each_other_and_there_are_no_more_than_two(
    platform: Settings, own_stores: Stores, viewer: Person
) -> None:
    made = await films(own_stores, 24)
    lists = {(viewer.profile_id, made[n]): made[4:] for n in range(4)}
    lists[(viewer.profile_id, made[0])] = made[4:14]
    write_batch(platform.database, "suggestions", suggestions=lists)
    async with serving(platform) as api:
        page = await home(api, viewer, limit=20)
        shown = [row_of(page, row_id) for row_id in row_ids(page) if row_id.startswith("because-")]
        assert len(shown) <= 2
        assert len({movie_id for row in shown for movie_id in row}) == sum(map(len, shown)), (
            "a title stands in two rows"
        )


async def test_a_title_that_is_taken_out_leaves_every_row_at_once(
    platform: Settings, own_stores: Stores, viewer: Person, engineer: Person
) -> None:
    why, *others = await films(own_stores, 11)
    write_batch(platform.database, "popularity", popularity={"": others})
    write_batch(platform.database, "similar", similar={why: others})
    write_batch(platform.database, "suggestions", suggestions={(viewer.profile_id, why): others})

    async with serving(platform) as api:

        async def everywhere() -> Sequence[list[str]]:
            page = await home(api, viewer, limit=20)
            similar = (await api.get(f"/api/v1/titles/{why}/similar", headers=viewer.headers)).json()["items"]
            return row_of(page, "trending"), row_of(page, f"because-{why}"), [item["movie_id"] for item in similar]

        assert await everywhere() == (others, others, others)
        for path, expected in (("unpublish", others[1:]), ("republish", others)):
            answer = await api.post(f"/api/v1/titles/{others[0]}/{path}", headers=engineer.headers)
            assert answer.status_code == 200, answer.text
            assert await everywhere() == (expected, expected, expected), f"after {path}"


async def test_an_accepted_batch_is_seen_once_its_rows_are_purged(
    platform: Settings, own_stores: Stores, viewer: Person
) -> None:
    old, new = await films(own_stores, 2)
    write_batch(platform.database, "popularity", popularity={"": [old]})
    write_batch(platform.database, "similar", similar={old: [new]})
    async with serving(platform) as api:
        assert row_of(await home(api, viewer), "trending") == [old]
        assert (await api.get(f"/api/v1/titles/{new}/similar", headers=viewer.headers)).json() == {"items": []}
        write_batch(platform.database, "popularity", popularity={"": [new]}, watch_seconds={new: 500 * HOUR})
        write_batch(platform.database, "similar", similar={new: [old]})
        followed = await follow_accepted(own_stores, "popularity")
        assert (followed.moved_titles, followed.is_purged) == (1, True)
        assert followed.purged == tuple(keys_of_batch("popularity", ["Drama"])), "the genre's order moved too"
        assert (await follow_accepted(own_stores, "popularity")).moved_titles == 0, "a repeat moved a title again"
        assert (await follow_accepted(own_stores, "similar")).purged == tuple(keys_of_batch("similar"))
        async with serving(platform) as another:
            page = await home(another, viewer)
            assert (row_of(page, "trending"), row_of(page, "genre-drama")) == ([new], [new, old])
            found = (await another.get(f"/api/v1/titles/{new}/similar", headers=viewer.headers)).json()["items"]
        assert [item["movie_id"] for item in found] == [old]
        assert keys_of_batch("suggestions") == [], "a profile's own rows are in no cache"


async def test_similar_titles_are_limited_and_an_unknown_title_has_none(
    platform: Settings, own_stores: Stores, viewer: Person
) -> None:
    why, *others = await films(own_stores, 14)
    async with serving(platform) as api:
        assert (await api.get(f"/api/v1/titles/{why}/similar", headers=viewer.headers)).json() == {"items": []}
        write_batch(platform.database, "similar", similar={why: others})
        await own_stores.row_cache.purge(keys_of_batch("similar"))
        async with serving(platform) as fresh:
            for query, count in ({}, 12), ({"limit": 3}, 3), ({"limit": 50}, 13):
                items = (await fresh.get(f"/api/v1/titles/{why}/similar", params=query, headers=viewer.headers)).json()
                assert [item["movie_id"] for item in items["items"]] == others[:count]
            for movie_id, query, status in (
                (f"m_{'0' * 20}", {}, 200),
                ("nonsense", {}, 400),
                (why, {"limit": 51}, 400),
            ):
                answer = await fresh.get(f"/api/v1/titles/{movie_id}/similar", params=query, headers=viewer.headers)
                assert answer.status_code == status, answer.text
            assert (await fresh.get(f"/api/v1/titles/{why}/similar")).status_code == 401


class NoFindings:
    """Findings that cannot be read."""

    async def of_profile(self, profile_id: str) -> Any:
        raise StoreUnavailable("no findings")


async def test_findings_that_cannot_be_read_are_missing_only_where_there_could_be_some(
    platform: Settings, own_stores: Stores, viewer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    why, *others = await films(own_stores, 9)
    async with serving(platform) as api:
        rows = api.app.state.services.rows
        personal = rows._personal
        real = personal._findings
        assert "degraded" not in await home(api, viewer)
        personal._findings, personal._recheck_at = NoFindings(), 0.0
        assert "degraded" not in await home(api, viewer), "a platform without batches lacks nothing"

        write_batch(platform.database, "suggestions", suggestions={(viewer.profile_id, why): others})
        personal._findings = real
        assert row_of(await home(api, viewer), f"because-{why}") == others
        personal._findings = NoFindings()
        page = await home(api, viewer)
        assert [(one["id"], one["title"]) for one in page["degraded"]] == [
            ("because-you-watched", "Because you watched")
        ]
        assert "genre-drama" in row_ids(page), "the other rows are not there"

        personal._findings = real
        broken: Any = type("Broken", (), {"continue_watching": NoFindings.of_profile})()
        monkeypatch.setattr(broken, "continue_watching", _no_positions, raising=False)
        rows._resume_positions = broken
        lacking = (await home(api, viewer))["degraded"]
        assert sorted(one["id"] for one in lacking) == sorted([f"because-{why}", "continue-watching"])
        metrics = (await api.get("/metrics")).text
        assert 'row="because-you-watched"' in metrics
        assert why not in metrics, "a metric has a label for each title"


async def _no_positions(*_: object, **__: object) -> None:
    raise StoreUnavailable("no positions")


def test_every_shared_row_is_on_the_first_page() -> None:
    """So the whole page has the profile's order."""
    from api.home.service import ROWS_ON_PAGE

    assert len(ROWS) <= ROWS_ON_PAGE
