"""The warehouse: a build is published whole, once, and again after a lost answer."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.errors import StoreUnavailable
from marquee.stores.warehouse import open_warehouse
from marquee.stores.warehouse.contract import MARTS, NEXT, MartsNotBuilt, Warehouse


@pytest.fixture
async def warehouse(emptied_postgres_url: str) -> AsyncIterator[Warehouse]:
    store = open_warehouse(emptied_postgres_url)
    yield store
    await store.close()
    with psycopg.connect(emptied_postgres_url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {MARTS} CASCADE")
        connection.execute(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE")


def build(url: str, rows: int) -> None:
    """What dbt leaves: a whole build beside the one that is read."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {NEXT}")
        connection.execute(
            f"CREATE TABLE {NEXT}.mart_build AS SELECT 'daily_watch' AS name, now() AS built_at, now() AS through, "
            f"CAST({rows} AS bigint) AS rows"
        )


async def test_a_build_is_published_whole_and_only_once(warehouse: Warehouse, emptied_postgres_url: str) -> None:
    build(emptied_postgres_url, 3)
    await warehouse.publish()
    assert {name: one.rows for name, one in (await warehouse.builds(MARTS)).items()} == {"daily_watch": 3}
    with pytest.raises(MartsNotBuilt):
        await warehouse.publish()  # the marts of another build are no success of this one


@pytest.mark.parametrize("losses", [1, 2])
async def test_a_lost_answer_to_commit_is_no_failure(
    warehouse: Warehouse, emptied_postgres_url: str, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    commit = AsyncConnection.commit
    lost = 0

    async def commit_and_lose(connection: AsyncConnection) -> None:
        nonlocal lost
        changed = await connection.exec_driver_sql(f"SELECT to_regnamespace('{NEXT}') IS NULL")
        is_published = changed.scalar_one()
        await commit(connection)
        if is_published and lost < losses:
            lost += 1
            raise OperationalError("COMMIT", {}, psycopg.OperationalError("server closed the connection"))

    build(emptied_postgres_url, 5)
    monkeypatch.setattr(AsyncConnection, "commit", commit_and_lose)
    try:
        await warehouse.publish()
    except StoreUnavailable as error:
        pytest.fail(f"a build that was published is reported as lost: {error}")
    assert lost == losses
    assert {name: one.rows for name, one in (await warehouse.builds(MARTS)).items()} == {"daily_watch": 5}
