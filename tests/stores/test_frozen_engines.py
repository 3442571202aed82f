"""Engines that hang (SIGSTOP): a call ends with its request's deadline while they hang, and works again after it."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from marquee import deadlines
from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import StoreUnavailable
from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.platform.cluster_engines.instances import instance
from marquee.platform.supervisor.supervision import Supervisor
from marquee.settings import Settings, load_settings
from marquee.stores.connections import cassandra_session
from marquee.stores.connections.postgres import Database
from marquee.stores.coordination import open_coordination
from marquee.stores.opened import open_bucket
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.row_cache import open_row_cache
from marquee.stores.search import open_search
from tests.harness.freezing import frozen, own_server
from tests.stores.connections.test_cassandra import Node

CALLERS = 40
SECONDS = 0.5
RECOVERY_SECONDS = 30
"""Only bounds a test that would hang."""


async def _all_refused(call: Callable[[], object]) -> None:
    """Every one of many callers is refused while the engine hangs. Without a deadline the stores would wait 20 s and more."""

    async def refused() -> str:
        with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable) as raised:
            await call()  # type: ignore[misc]
        return raised.value.detail

    said = await asyncio.gather(*(refused() for _ in range(CALLERS)))
    assert all(said)


@pytest.fixture
async def database(migrated_database: Settings) -> AsyncIterator[Database]:
    opened = Database(f"{migrated_database.database}?pool_size=4")
    yield opened
    await opened.close()


async def test_postgresql_that_hangs_costs_its_callers_their_time_and_no_connection(
    migrated_database: Settings, database: Database
) -> None:
    one = text("SELECT 1")
    await database.statement(one, {})
    tasks = len(asyncio.all_tasks())
    with frozen(own_server(migrated_database.port("postgres"))):
        await _all_refused(lambda: database.statement(one, {}))
        with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable):
            await database.ping()
        assert database._shared.calls == 0, "a caller that gave up still counts"
        assert len(asyncio.all_tasks()) <= tasks, "a caller that gave up left a task behind"
    async with asyncio.timeout(RECOVERY_SECONDS):
        await asyncio.gather(*(database.statement(one, {}) for _ in range(CALLERS)))
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_statement_whose_caller_gave_up_ends_on_the_server(
    migrated_database: Settings, database: Database
) -> None:
    mark = secrets.token_hex(6)
    running = text("SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE :query")
    with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable):
        await database.statement(text(f"SELECT pg_sleep(60) /* {mark} */"), {})
    async with asyncio.timeout(RECOVERY_SECONDS):
        while (await database.statement(running, {"query": f"SELECT pg_sleep(60) /* {mark}%"}))[0]["n"]:
            pass


async def test_a_change_whose_confirmation_is_late_is_said_to_be_unknown(
    migrated_database: Settings, database: Database
) -> None:
    with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable, match="read the value before"):
        await database.statement(text("SELECT pg_sleep(60)"), {}, repeatable=False)


async def test_postgresql_refuses_at_once_when_too_many_wait(
    migrated_database: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._shared, "max_calls", 6)
    waiting = [asyncio.create_task(database.statement(text("SELECT pg_sleep(60)"), {})) for _ in range(6)]
    await asyncio.wait(waiting, timeout=0.1)
    assert database._shared.calls == 6
    with pytest.raises(StoreUnavailable, match="busy"):
        await database.statement(text("SELECT 1"), {})
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert database._shared.calls == 0


async def test_positions_that_hang_are_refused_and_the_newest_is_kept(migrated_database: Settings) -> None:
    positions = open_movable(migrated_database.database)
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, 1))
    with frozen(own_server(migrated_database.port("postgres"))):
        moments = iter(range(2, 100))
        await _all_refused(lambda: positions.record(ResumePosition(user_id, movie_id, 6, next(moments))))
    async with asyncio.timeout(RECOVERY_SECONDS):
        await positions.record(ResumePosition(user_id, movie_id, 7, 200))
    kept = await positions.get(user_id, movie_id)
    assert kept == ResumePosition(user_id, movie_id, 7, 200)
    await positions.close()


@pytest.mark.parametrize("engine", ["cache", "log"])
async def test_valkey_that_hangs_is_given_up(
    valkey_cache_server: Settings, valkey_log_server: Settings, engine: str
) -> None:
    cache, locks = open_row_cache(valkey_cache_server.row_cache), open_coordination(valkey_log_server.coordination)
    call = (lambda: cache.get("frozen")) if engine == "cache" else (lambda: locks.count("b", limit=9, window_seconds=1))
    await call()
    with frozen(own_server(valkey_cache_server.port(engine))):
        await _all_refused(call)
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            try:
                await asyncio.gather(*(call() for _ in range(CALLERS)))
            except StoreUnavailable:
                continue
            break
    await cache.close()
    await locks.close()


async def test_s3_that_hangs_is_given_up_and_its_threads_are_free_again(s3_server: Settings) -> None:
    objects = open_bucket(s3_server, s3_server.objects)
    await objects.ensure_bucket()
    with frozen(own_server(s3_server.port("s3_inner"))):
        await _all_refused(lambda: objects.head("nothing"))
        await _all_refused(lambda: objects.create_multipart("nothing", content_type="video/mp4"))
    async with asyncio.timeout(RECOVERY_SECONDS):
        assert await objects.head("nothing") is None
    await objects.close()


@pytest.mark.xdist_group("cassandra")
async def test_cassandra_that_hangs_is_given_up(
    cassandra_folder: Path, cassandra_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_session, "HEARTBEAT_SECONDS", 1.0)
    positions = open_movable(cassandra_url)
    position = ResumePosition(new_profile_id(), new_movie_id(), 5, 1_800_000_000_000)
    await positions.record(position)
    node = Node(cassandra_folder)
    await node.signal(signal.SIGSTOP)
    try:
        await _all_refused(lambda: positions.record(position))
        with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable):
            await positions.ping()
    finally:
        await node.signal(signal.SIGCONT)
    async with asyncio.timeout(RECOVERY_SECONDS):
        assert await positions.get(position.user_id, position.movie_id) == position
    await positions.close()


@pytest.mark.xdist_group("elasticsearch")
async def test_elasticsearch_that_hangs_is_given_up(
    elasticsearch_urls: Callable[[], str], elasticsearch_folder: Path
) -> None:
    index = open_search(elasticsearch_urls())
    await index.search("film")
    supervisor = Supervisor(instance(load_settings(state=elasticsearch_folder), ELASTICSEARCH))
    with frozen((await supervisor.process("elasticsearch")).pid):
        await _all_refused(lambda: index.search("film"))
        with deadlines.limited(SECONDS), pytest.raises(StoreUnavailable):
            await index.ping()
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            try:
                assert not (await index.search("film")).hits
            except StoreUnavailable:
                continue
            break
    await index.close()
