"""Pages that lack rows say so. An empty platform is not an outage, and an outage is not an empty platform."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.app import create_app
from api.auth.tokens import AccessTokens, Caller
from api.home.service import HomeService
from api.services import Services, build_services
from api.warm_up import NOBODY
from marquee import deadlines
from marquee.domain.rows import CONTINUE_WATCHING, GENRES, ROWS, genre_row_id
from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.opened import Stores
from marquee.stores.row_cache.keys import keys_of_title
from marquee.stores.schema.migrate import migrate
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder
from tests.harness.freezing import frozen, own_server

Client = AsyncTestClient[Litestar]


DATABASES = itertools.count(1)


@pytest.fixture
def new_platform(api_settings: Settings, empty_database: str) -> Settings:
    """The session's engines with a database without titles, and a cache without rows."""
    migrate(empty_database)
    return api_settings.model_copy(
        update={
            "database_url": empty_database,
            "row_cache_url": f"{api_settings.row_cache}/{next(DATABASES)}",
            "row_timeout_seconds": 1.0,
        }
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
async def services(api_settings: Settings, stores: Stores) -> Services:
    """Services of this test, called without HTTP."""
    key = api_settings.token_private_key.get_secret_value()
    return build_services(api_settings, stores, AccessTokens(key, life_seconds=60))


class Broken:
    """A store whose named method fails; every other part is the real one's."""

    def __init__(self, store: Any, method: str, error: Exception) -> None:
        self._store, self._method, self._error = store, method, error

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._store, name)

    async def _fail(self, *_: object, **__: object) -> None:
        raise self._error


async def test_a_new_platform_is_200_and_not_degraded(new_platform: Settings, viewer: Person) -> None:
    async with serving(new_platform) as client:
        answer = await client.get("/api/v1/home", headers=viewer.headers)
        assert answer.status_code == 200
        assert answer.json() == {"rows": [], "next_cursor": None}
        assert (await client.get("/api/v1/rows/genre-drama", headers=viewer.headers)).json()["items"] == []
        assert (await client.get("/readyz")).json()["stores"]["rows"] == "ready"


async def test_a_page_with_nothing_because_nothing_answered_is_503(new_platform: Settings, viewer: Person) -> None:
    with frozen(own_server(new_platform.port("postgres"))):
        # This process has never read a row, and the cache has none.
        async with serving(new_platform) as client:
            home = await client.get("/api/v1/home", headers=viewer.headers)
            assert home.status_code == 503, home.text
            assert home.headers["retry-after"]
            assert home.json()["code"] == "store-unavailable"
            row = await client.get("/api/v1/rows/genre-drama", headers=viewer.headers)
            assert (row.status_code, bool(row.headers["retry-after"])) == (503, True)
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            assert ready.headers["retry-after"]
            assert ready.json()["stores"]["rows"] != "ready", "a process that has read no row says that it is ready"


async def test_a_process_is_ready_once_it_has_read_a_whole_page(new_platform: Settings) -> None:
    with frozen(own_server(new_platform.port("postgres"))):
        context = serving(new_platform)
        client = await context.__aenter__()
        assert (await client.get("/readyz")).status_code == 503
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != 200:
            pass
    await context.__aexit__(None, None, None)


async def test_rows_that_were_only_read_from_the_cache_outlast_cache_and_postgresql(
    api_settings: Settings, client: Client, viewer: Person, seed: Seeder, stores: Stores
) -> None:
    movie_id = await seed.playable("In a copy", genres=["Western"])
    await stores.row_cache.purge(keys_of_title(["Western"]))
    await client.get("/api/v1/rows/genre-western", headers=viewer.headers)  # another process fills the cache
    async with serving(api_settings.model_copy(update={"row_timeout_seconds": 1.0})) as other:
        await other.get("/api/v1/rows/genre-western", headers=viewer.headers)
        with frozen(own_server(api_settings.port("postgres"))), frozen(own_server(api_settings.port("cache"))):
            row = await other.get("/api/v1/rows/genre-western", headers=viewer.headers)
            home = await other.get("/api/v1/home", headers=viewer.headers)
    assert movie_id in [item["movie_id"] for item in row.json()["items"]]
    assert home.status_code == 200
    assert "genre-western" in [one["id"] for one in home.json()["rows"]]


@pytest.fixture
async def own(api_settings: Settings) -> AsyncIterator[Client]:
    """An API that a test may break."""
    async with serving(api_settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("error", "reason"),
    [(StoreUnavailable("no positions"), "store-unavailable"), (RuntimeError("a fault"), "internal-error")],
)
async def test_continue_watching_alone_is_named_with_its_reason(
    own: Client, viewer: Person, seed: Seeder, error: Exception, reason: str
) -> None:
    await seed.playable("Still there", genres=GENRES[:1])
    services: Services = own.app.state.services
    services.rows._resume_positions = Broken(services.rows._resume_positions, "continue_watching", error)
    counted = f'marquee_api_degraded_rows_total{{reason="{reason}",row="continue-watching"}}'
    async with asyncio.timeout(30):
        # A process that has just started on a busy machine may answer 503 until it has read its rows.
        while (answer := await own.get("/api/v1/home", headers=viewer.headers)).status_code == 503:
            assert answer.headers["Retry-After"]
    assert answer.status_code == 200, answer.text
    assert answer.json()["degraded"] == [{"id": "continue-watching", "title": "Continue watching", "reason": reason}]
    assert answer.json()["rows"]
    assert counted in (await own.get("/metrics")).text


async def test_a_row_without_an_answer_is_named_beside_the_others(
    own: Client, viewer: Person, seed: Seeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed.playable("Kept", genres=["Drama"])
    services: Services = own.app.state.services
    beginning = services.rows._shared.beginning

    async def sometimes(row: Any) -> Any:
        if row.row_id == genre_row_id("Comedy"):
            raise StoreUnavailable("no comedies")
        return await beginning(row)

    monkeypatch.setattr(services.rows._shared, "beginning", sometimes)
    monkeypatch.setattr(services.rows._shared, "just_read", lambda _row: None)
    page = (await own.get("/api/v1/home", headers=viewer.headers)).json()
    assert [one["id"] for one in page["degraded"]] == ["genre-comedy"]
    assert "new-releases" in [row["id"] for row in page["rows"]]


async def test_every_page_by_cursor_says_what_it_lacks(
    services: Services, api_settings: Settings, seed: Seeder
) -> None:
    await seed.playable("On every page", genres=GENRES)
    services.rows._resume_positions = Broken(
        services.rows._resume_positions, "continue_watching", StoreUnavailable("no positions")
    )
    await services.rows._shared.purge([row.row_id for row in ROWS[1:]])
    home = HomeService(services.rows, api_settings, rows_on_page=5)
    caller = Caller("a", "p", "viewer", 0.0)
    lacked, cursor = [], None
    while True:
        page = await home.page(caller, limit=1, cursor=cursor)
        lacked.append([one.id for one in page.degraded])
        if (cursor := page.next_cursor) is None:
            break
    assert lacked == [[CONTINUE_WATCHING.row_id], [], [], [], []]


async def test_a_page_that_comes_late_is_sent_with_the_rows_that_are_there(
    services: Services, seed: Seeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed.playable("In time", genres=["Drama"])
    await services.rows._shared.purge([row.row_id for row in ROWS[1:]])

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(services.rows, "_continue_watching", hang)
    services.rows._watching.timeout_seconds = 3600.0
    with deadlines.limited(3.0):
        page = await services.home.page(NOBODY, limit=1, cursor=None)
    assert CONTINUE_WATCHING.row_id in [one.id for one in page.degraded]
    assert "genre-drama" in [row.id for row in page.rows]


async def test_a_search_without_an_index_is_503_and_not_an_empty_result(
    api_settings: Settings, viewer: Person, tmp_path: Path
) -> None:
    async with serving(api_settings.model_copy(update={"search_url": f"tantivy://{tmp_path}"})) as client:
        for path in ("/api/v1/search", "/api/v1/search/suggest"):
            answer = await client.get(path, params={"q": "film"}, headers=viewer.headers)
            assert answer.status_code == 503, f"{path} says that there is nothing"
            assert answer.headers["retry-after"]
