"""The PostgreSQL client: a kill under load loses no acknowledged write, and recovery needs no operator."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.ids import new_movie_id
from marquee.errors import PlatformUnavailable, StoreUnavailable
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.connections import postgres
from marquee.stores.connections.postgres import Database
from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import NewJob
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.schema.migrate import migrate
from tests.harness.catalogue.steps import DETAILS
from tests.harness.position_writers import acknowledged_positions_outlive
from tests.harness.servers import make_test_settings, running


class Server:
    """A PostgreSQL of one test, which may kill it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start as the supervisor does: repeat until the killed server's children have released its shared memory."""
        for attempt in range(20):
            try:
                self._process = self._stack.enter_context(
                    running(local_engines.postgres(self.settings), self.settings.state)
                )
            except PlatformUnavailable:
                if attempt == 19:
                    raise
            else:
                return

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        # Wait for the killed process: an unreaped one counts as running for the next start.
        self._process.wait()

    def backends(self) -> list[int]:
        """Process ids of the backends that serve our connections now."""
        with psycopg.connect(self.settings.database) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'marquee'")
            return [process_id for (process_id,) in rows]

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    own = Server(make_test_settings(tmp_path))
    await asyncio.to_thread(own.start)
    await asyncio.to_thread(migrate, own.settings.database)
    yield own
    await asyncio.to_thread(own.stop)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_what_was_acknowledged_outlives_a_sigkill_and_writers_go_on(server: Server, kills: int) -> None:
    async def kill() -> None:
        server.kill()
        await asyncio.to_thread(server.start)

    positions = open_movable(server.settings.database)
    await acknowledged_positions_outlive(kill, positions, kills=kills)
    await positions.close()


async def test_every_store_goes_on_after_a_crash_without_a_hand(server: Server) -> None:
    url = server.settings.database
    catalogue, queue = open_catalogue(url), open_job_queue(url)
    movie_id = new_movie_id()
    await catalogue.titles.announce([(movie_id, DETAILS)])
    await queue.enqueue([NewJob("job", movie_id, 1, b"")])
    lease = await queue.claim("worker", lease_seconds=60)
    assert lease is not None
    server.kill()
    restart = asyncio.create_task(asyncio.to_thread(server.start))
    await queue.extend(lease, lease_seconds=60, progress=0.5)
    await queue.complete(lease, b"result")
    assert (await catalogue.titles.get(movie_id)).state == "announced"
    await restart
    for store in (catalogue, queue):
        await store.ping()
        await store.close()


async def test_a_server_that_stays_away_is_said_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "RETRY_SECONDS", 0.5)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        positions = open_movable(f"postgresql://x:y@127.0.0.1:{reserved.getsockname()[1]}/marquee")
        for call in (positions.get("p", "m"), positions.ping()):
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(call, 5)
        await positions.close()


async def test_stores_of_one_url_share_one_bounded_pool(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "POOL_WAIT_SECONDS", 0.2)
    url = f"{postgres_url}?pool_size=2"
    first, second = Database(url), Database(url)
    try:
        assert first.engine is second.engine
        async with first.engine.connect(), second.engine.connect():
            with pytest.raises(StoreUnavailable, match="busy"):
                await first.statement(text("SELECT 1"), {})
        await first.close()
        assert (await second.statement(text("SELECT 1 AS one"), {}))[0]["one"] == 1
    finally:
        await first.close()
        await second.close()


async def test_callers_that_give_up_give_their_connections_back(postgres_url: str) -> None:
    database = Database(f"{postgres_url}?pool_size=3")
    try:
        for _ in range(3):
            calls = [asyncio.create_task(database.statement(text("SELECT pg_sleep(60)"), {})) for _ in range(10)]
            _done, waiting = await asyncio.wait(calls, timeout=0.2)
            for call in waiting:
                call.cancel()
            await asyncio.wait(calls, timeout=20)
        answers = await asyncio.gather(*(database.statement(text("SELECT 1 AS one"), {}) for _ in range(10)))
        assert [row["one"] for (row,) in answers] == [1] * 10
    finally:
        await database.close()


async def test_a_server_that_hangs_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "ATTEMPT_SECONDS", 0.5)
    positions = open_movable(server.settings.database)
    await positions.record(ResumePosition("p", "m", 1, 1))
    backends = server.backends()
    for process_id in backends:
        os.kill(process_id, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(positions.get("p", "m"), 20)
    finally:
        for process_id in backends:
            os.kill(process_id, signal.SIGCONT)
    assert await positions.get("p", "m") is not None
    await positions.close()


async def test_connections_are_durable_and_bounded_in_time(postgres_url: str) -> None:
    database = Database(postgres_url)
    try:
        for name, value in (("synchronous_commit", "on"), ("statement_timeout", "10s"), ("TimeZone", "UTC")):
            (row,) = await database.statement(text("SELECT current_setting(:name) AS value"), {"name": name})
            assert row["value"] == value
    finally:
        await database.close()


async def test_a_lost_answer_is_done_again_only_where_twice_does_no_harm(postgres_url: str) -> None:
    database = Database(postgres_url)
    attempts = 0

    async def work(connection: AsyncConnection) -> None:
        """Break the connection in the middle of the transaction, the first time only."""
        nonlocal attempts
        attempts += 1
        (backend,) = (await connection.execute(text("SELECT pg_backend_pid()"))).one()
        if attempts == 1:
            with psycopg.connect(postgres_url) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

    try:
        with pytest.raises(StoreUnavailable, match="confirmed"):
            await database.transaction_of(work, repeatable=False)
        assert attempts == 1
        attempts = 0
        await database.transaction_of(work)
        assert attempts == 2
    finally:
        await database.close()
