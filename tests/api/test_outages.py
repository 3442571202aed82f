"""Engines that are really down: a killed cache, killed locks, and a PostgreSQL URL with no listener."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from purgatory import AsyncCircuitBreakerFactory

from api.app import create_app
from api.rows.local_copies import LocalCopies
from api.rows.shared import SharedRows
from api.services import Services
from marquee.domain.rows import GENRES, genre_row_id
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.connections import postgres
from marquee.stores.coordination.contract import Coordination, Lock
from marquee.stores.opened import Stores
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.keys import fill_lock, keys_of_title, row_key
from tests.api.conftest import PASSWORD, Person
from tests.harness.api.seeding import Seeder
from tests.harness.api.watched_rows import WatchedRows, own_row
from tests.harness.clusters import KillableCluster, killable_cluster, until_answered
from tests.harness.restarting import RestartingServer
from tests.harness.servers import free_port_base, make_test_settings, running

Client = AsyncTestClient[Litestar]


@pytest.fixture
def own_valkeys(tmp_path: Path) -> Iterator[tuple[Settings, list[subprocess.Popen[bytes]]]]:
    """A cache and a log for one test, which may kill them."""
    settings = make_test_settings(tmp_path)
    with (
        running(local_engines.valkey_cache(settings), tmp_path) as cache,
        running(local_engines.valkey_log(settings), tmp_path) as log,
    ):
        yield settings, [cache, log]


@pytest.fixture
async def exposed(
    own_valkeys: tuple[Settings, list[subprocess.Popen[bytes]]], api_settings: Settings
) -> AsyncIterator[Client]:
    """An API over those two Valkeys and the session's PostgreSQL and S3."""
    valkeys, _ = own_valkeys
    update = {name: getattr(valkeys, name.removesuffix("_url")) for name in ("row_cache_url", "coordination_url")}
    app = create_app(api_settings.model_copy(update={**update, "row_timeout_seconds": 2.0}))
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        yield client


async def test_without_cache_and_locks_the_api_serves_on_and_spares_postgresql(
    exposed: Client,
    own_valkeys: tuple[Settings, list[subprocess.Popen[bytes]]],
    viewer: Person,
    seed: Seeder,
) -> None:
    movie_id = await seed.playable("Survives", genres=["Fantasy"])
    assert (await exposed.get("/api/v1/home", headers=viewer.headers)).status_code == 200
    for process in own_valkeys[1]:
        process.kill()
        process.wait()

    services: Services = exposed.app.state.services
    shared = services.rows._shared
    watched = WatchedRows(shared._queries._rows)
    shared._queries._rows = watched
    shared._copies = LocalCopies()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answers = await asyncio.gather(*(exposed.get("/api/v1/home", headers=viewer.headers) for _ in range(60)))
    assert [answer.status_code for answer in answers] == [200] * 60, "the home page failed with the cache gone"
    full = answers[-1].json()["rows"]
    assert "genre-fantasy" in [row["id"] for row in full], "with the cache gone a row was left out that could be had"
    assert watched.queries <= 25, f"60 home pages without a cache made {watched.queries} genre queries"
    assert loop.time() - begun < 40, "the home page hangs with the cache gone"

    body = {"movie_id": movie_id, "position_seconds": 12}
    progress = await exposed.post("/api/v1/stream/progress", json=body, headers=viewer.headers)
    assert progress.status_code == 204, "progress needs the cache"
    login = await exposed.post("/api/v1/sessions", json={"email": viewer.email, "password": PASSWORD})
    assert login.status_code == 201, f"nobody can log in without the counter's engine: {login.text}"
    ready = await exposed.get("/readyz")
    assert ready.status_code == 200, "the API serves on, so it is ready"
    assert ready.json()["stores"]["row_cache"] != "ready", "readyz does not say that the cache is gone"


class FatalLocks:
    """The real locks, except that each request for a lock kills the cache."""

    def __init__(self, coordination: Coordination, kill: Callable[[], None]) -> None:
        self._coordination = coordination
        self._kill = kill

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coordination, name)

    async def acquire(self, name: str, *, hold_seconds: float) -> Lock | None:
        lock = await self._coordination.acquire(name, hold_seconds=hold_seconds)
        self._kill()
        return lock


@pytest.mark.parametrize("held_by_another", [False, True])
async def test_a_cache_that_is_lost_during_a_fill_costs_no_row(
    tmp_path: Path, api_settings: Settings, stores: Stores, seed: Seeder, held_by_another: bool
) -> None:
    row = own_row()
    movie_id = await seed.playable("In PostgreSQL", genres=[str(row.genre)])
    if held_by_another:
        assert await stores.coordination.acquire(fill_lock(row.row_id), hold_seconds=60)
    async with RestartingServer(local_engines.valkey_cache, tmp_path) as server:
        cache = open_row_cache(server.settings.row_cache)
        locks: Any = FatalLocks(stores.coordination, server.kill)
        rows = SharedRows(
            stores.catalogue.rows, stores.findings, cache, locks, AsyncCircuitBreakerFactory(), api_settings
        )
        found = await rows.beginning(row)
        await cache.close()
    assert [item.movie_id for item in found.items] == [movie_id]


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[KillableCluster]:
    with killable_cluster(tmp_path) as cluster:
        yield cluster


@pytest.mark.xdist_group("redis-cluster")
async def test_home_is_served_on_while_a_master_of_the_cluster_is_replaced(
    own_cluster: KillableCluster, api_settings: Settings, viewer: Person, seed: Seeder
) -> None:
    await seed.playable("In every row", genres=GENRES)
    update = {"row_cache_url": own_cluster.url, "coordination_url": own_cluster.url, "row_timeout_seconds": 2.0}
    app = create_app(api_settings.model_copy(update=update))
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        assert (await client.get("/readyz")).json()["stores"]["row_cache"] == "ready"
        watched = genre_row_id(GENRES[0])
        key = f"{{row:{row_key(watched)}}}:body"
        before = await asyncio.to_thread(own_cluster.master_of, key)
        replica = await asyncio.to_thread(own_cluster.replica_of, before)
        await asyncio.to_thread(own_cluster.kill, before)

        async def has_taken_over() -> bool:
            with own_cluster.client(replica) as node:
                return (await asyncio.to_thread(node.info, "replication"))["role"] == "master"

        pages = 0
        async with asyncio.timeout(90):
            while not await has_taken_over() or pages < 20:
                home = await client.get("/api/v1/home", headers=viewer.headers)
                assert home.status_code == 200, "the home page failed with a master of the cluster gone"
                missing = {genre_row_id(genre) for genre in GENRES} - {row["id"] for row in home.json()["rows"]}
                assert not missing, f"rows were left out that PostgreSQL has: {missing}"
                pages += 1
            while (await client.get("/readyz")).json()["stores"]["row_cache"] != "ready":
                pages += 1
        cache = open_row_cache(own_cluster.url)
        async with asyncio.timeout(90):
            while await until_answered(lambda: cache.get(row_key(watched))) is None:
                assert (await client.get("/api/v1/home", headers=viewer.headers)).status_code == 200
        await cache.close()


async def test_without_postgresql_home_comes_from_the_cache_and_the_rest_says_503(
    client: Client,
    api_settings: Settings,
    viewer: Person,
    seed: Seeder,
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "RETRY_SECONDS", 1.5)
    movie_id = await seed.playable("In the cache", genres=["Adventure"])
    await stores.row_cache.purge(keys_of_title(["Adventure"]))
    await client.get("/api/v1/rows/genre-adventure", headers=viewer.headers)
    nobody = f"postgresql://marquee:x@127.0.0.1:{free_port_base()}/marquee"
    app = create_app(api_settings.model_copy(update={"database_url": nobody, "row_timeout_seconds": 1.0}))
    async with AsyncTestClient(app, raise_server_exceptions=False) as cut_off:
        async with asyncio.timeout(8):
            home = await cut_off.get("/api/v1/home", headers=viewer.headers)
        assert home.status_code == 200, "the home page failed with PostgreSQL gone"
        rows = {row["id"]: row for row in home.json()["rows"]}
        assert movie_id in [item["movie_id"] for item in rows["genre-adventure"]["items"]]
        assert "continue-watching" not in rows
        ready = await cut_off.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["stores"]["catalogue"] != "ready", "readyz does not name PostgreSQL"
        assert (await cut_off.get("/healthz")).status_code == 200, "the process lives, whatever is behind it"
        async with asyncio.timeout(20):
            stream = await cut_off.get("/api/v1/stream", params={"movie_id": movie_id}, headers=viewer.headers)
        assert stream.status_code == 503
        assert stream.json()["code"] == "store-unavailable"
        assert stream.headers["retry-after"]
