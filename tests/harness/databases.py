"""Migrated databases: one on the session's PostgreSQL for all tests, one for the contract suites, or one for a single test."""

import contextlib
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from marquee.settings import Settings
from marquee.stores.schema.migrate import migrate

POSTGRES = [
    pytest.param("postgres_url", id="postgres"),
    pytest.param("older_postgres_url", id="older-postgres"),
]
"""For a contract suite's `ENGINES`: the wheel's, and the oldest that the platform knows (skipped where there is none)."""
EMPTIED_POSTGRES = [
    pytest.param("emptied_postgres_url", id="postgres"),
    pytest.param("emptied_older_postgres_url", id="older-postgres"),
]
"""The same for a suite that counts what is there."""
POSTGRES_SERVERS = [
    pytest.param("postgres_server", id="postgres"),
    pytest.param("older_postgres_server", id="older-postgres"),
]


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Settings) -> Settings:
    """Settings whose `database` exists and has the newest schema. All tests share it, so a test must use new ids."""
    migrate(postgres_server.database)
    return postgres_server


@pytest.fixture
def empty_database(postgres_server: Settings) -> Iterator[str]:
    """URL of a database for this test only, which has no table yet."""
    with own_database(postgres_server) as url:
        yield url


@contextlib.contextmanager
def own_database(server: Settings) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server.postgres_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.postgres_url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
