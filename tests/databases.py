"""Migrated databases on the session's own PostgreSQL: one for everybody, or one of a test's own."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from marquee.settings import Settings
from marquee.stores.migrate import migrate


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Settings) -> Settings:
    """Settings whose `database` exists and has the newest schema; shared by the session, so use ids of your own."""
    migrate(postgres_server.database)
    return postgres_server


@pytest.fixture
def empty_database(postgres_server: Settings) -> Iterator[str]:
    """The URL of a database that exists for this test alone and has no table yet."""
    name = f"test_{secrets.token_hex(6)}"
    server = postgres_server.database.rsplit("/", 1)[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{server}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
