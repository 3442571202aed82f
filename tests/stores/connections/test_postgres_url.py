"""Everything that connects to PostgreSQL accepts a URL with the parameter `pool_size`."""

import contextlib

import psycopg
import pytest

from marquee.platform.programs import applications
from marquee.settings import Settings
from marquee.stores.change_capture.slot import drop_slot_if_lost
from marquee.stores.connections.urls import libpq_url
from marquee.stores.schema.migrate import migrate


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40@h:1/d", "postgresql://u:p%40@h:1/d"),
        ("postgresql://h/d?pool_size=2", "postgresql://h/d"),
        (
            "postgresql://h/d?sslmode=require&pool_size=2&sslcert=/a%20b",
            "postgresql://h/d?sslmode=require&sslcert=/a%20b",
        ),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=/run/postgresql"),
    ],
)
def test_libpq_gets_all_but_the_size_of_the_pool(url: str, expected: str) -> None:
    assert libpq_url(url) == expected


async def test_a_database_is_made_prepared_and_watched_by_a_url_with_a_pool(empty_database: str) -> None:
    missing = f"{empty_database}_pooled"
    url = f"{missing}?pool_size=2"
    try:
        migrate(url)
        migrate(url)
        assert await drop_slot_if_lost(url, "any") == "missing"
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {missing.rsplit('/', 1)[1]} WITH (FORCE)")


async def test_a_job_is_seen_to_be_connected_by_a_url_with_a_pool(
    postgres_server: Settings, empty_database: str
) -> None:
    settings = postgres_server.model_copy(update={"database_url": f"{empty_database}?pool_size=2"})
    with contextlib.closing(psycopg.connect(empty_database, application_name="outbox")):
        await applications.outbox(settings).ready()
