"""Change capture's replication slot on every supported PostgreSQL: kept, missing, lost; and a server with the wrong wal_level."""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from marquee.errors import StoreUnavailable
from marquee.platform import local_engines
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.change_capture.slot import drop_slot_if_lost
from tests.harness.older_postgres import older_postgres
from tests.harness.servers import make_test_settings, running

SERVERS = [pytest.param(local_engines.postgres, id="postgres"), pytest.param(older_postgres, id="older-postgres")]


def served(program_of: Callable[[Settings], Program], folder: Path, **options: str) -> Iterator[str]:
    settings = make_test_settings(folder)
    program = program_of(settings)
    # PostgreSQL uses the last value of an option that is given twice.
    more = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with running(dataclasses.replace(program, command=(*program.command, *more)), folder):
        yield settings.postgres_url("postgres")


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that keeps almost no WAL for a slot, so that a slot is soon lost."""
    yield from served(request.param, tmp_path_factory.mktemp("slots"), max_slot_wal_keep_size="1MB")


@pytest.fixture
def slot(url: str) -> Iterator[str]:
    name = f"slot_{secrets.token_hex(4)}"
    yield name
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", [name]
        )


async def test_a_slot_is_missing_until_it_is_made_and_then_kept(url: str, slot: str) -> None:
    assert await drop_slot_if_lost(url, slot) == "missing"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    assert await drop_slot_if_lost(url, slot) == "kept"
    assert await drop_slot_if_lost(url, slot) == "kept"


async def test_a_slot_whose_wal_was_given_up_is_dropped(url: str, slot: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        for _ in range(4):
            connection.execute("SELECT pg_logical_emit_message(false, 'test', 'something for this segment')")
            connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", [slot]).fetchone()
        assert row == ("lost",), "the test lost no slot"
        assert await drop_slot_if_lost(url, slot) == "missing"
        left = connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [slot]).fetchone()
    assert left is None, "a lost slot was left in the way of the next"


def test_a_server_that_writes_too_little_wal_is_said_in_words(tmp_path: Path) -> None:
    for url in served(local_engines.postgres, tmp_path, wal_level="replica"):
        with pytest.raises(StoreUnavailable, match="wal_level is replica"):
            asyncio.run(drop_slot_if_lost(url, "any"))
