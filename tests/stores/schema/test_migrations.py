"""Migrations: from an empty database, repeated, at once from several processes, and with the tables of the code as result."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url

from marquee.errors import StoreUnavailable
from marquee.stores.catalogue import open_catalogue
from marquee.stores.change_capture.slot import PUBLICATION
from marquee.stores.connections.postgres import SCHEMA
from marquee.stores.schema.migrate import alembic_config, migrate
from marquee.stores.schema.tables import metadata
from tests.harness.databases import POSTGRES_SERVERS, own_database


@pytest.fixture(params=POSTGRES_SERVERS)
def empty_database(request: pytest.FixtureRequest) -> Iterator[str]:
    with own_database(request.getfixturevalue(request.param)) as url:
        yield url


def differences(url: str) -> object:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    return found


def upgrade_to(url: str, revision: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)
        connection.commit()
    engine.dispose()


def constraints(url: str) -> set[tuple[str, str]]:
    """Names and definitions of the CHECK constraints, which Alembic does not compare."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        )
        return set(rows.fetchall())


def test_migrating_from_nothing_and_again_gives_what_the_tables_say(empty_database: str) -> None:
    migrate(empty_database)
    assert differences(empty_database) == []
    migrate(empty_database)
    assert differences(empty_database) == []


def test_views_of_dbt_hold_up_no_migration_and_stay_where_there_is_none(empty_database: str) -> None:
    views = "SELECT count(*) FROM pg_views WHERE schemaname = 'staging'"
    upgrade_to(empty_database, "0009")
    make_view = "CREATE VIEW staging.stg_title AS SELECT movie_id, popularity FROM title"
    with psycopg.connect(empty_database) as database:
        database.execute("CREATE SCHEMA staging")
        database.execute(make_view)
    migrate(empty_database)
    with psycopg.connect(empty_database) as database:
        assert database.execute(views).fetchall() == [(0,)], "a view is left, and a migration may meet its column"
        database.execute("ALTER TABLE title ALTER popularity TYPE real")
        database.execute("ALTER TABLE title ALTER popularity TYPE double precision")
        database.execute("CREATE SCHEMA staging")
        database.execute(make_view)
    migrate(empty_database)
    with psycopg.connect(empty_database) as database:
        assert database.execute(views).fetchall() == [(1,)], "a start without a migration dropped the views"


def test_a_database_of_revision_11_gets_what_deletions_need_also_where_a_part_is_there(empty_database: str) -> None:
    upgrade_to(empty_database, "0011")
    with psycopg.connect(empty_database) as database:
        columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'lake_erasure' ORDER BY 1"
        made = [name for (name,) in database.execute(columns).fetchall()]
        assert made == ["asked_at", "number", "profile_id", "scanned_at"], "a revision that databases have was edited"
        database.execute("ALTER TABLE lake_erasure ADD deleted_at timestamptz")
    migrate(empty_database)
    assert differences(empty_database) == []


def test_the_schema_that_processes_ask_for_is_the_newest(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]


async def test_a_database_of_an_older_version_is_not_ready_and_one_of_a_newer_is(empty_database: str) -> None:
    catalogue = open_catalogue(empty_database)
    try:
        with pytest.raises(StoreUnavailable, match="no tables yet: run `marquee prepare`"):
            await catalogue.ping()
        migrate(empty_database)
        await catalogue.ping()
        for version, is_ready in (("0001", False), ("9999", True)):
            with psycopg.connect(empty_database) as connection:
                connection.execute("UPDATE alembic_version SET version_num = %s", [version])
            if is_ready:
                await catalogue.ping()
            else:
                with pytest.raises(StoreUnavailable, match=f"schema is 0001, and this version needs {SCHEMA}"):
                    await catalogue.ping()
    finally:
        await catalogue.close()


def test_checks_are_the_ones_of_the_tables(empty_database: str) -> None:
    migrate(empty_database)
    migrated = constraints(empty_database)
    engine = create_engine(make_url(empty_database).set(drivername="postgresql+psycopg"))
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    metadata.create_all(engine)
    engine.dispose()
    assert migrated == constraints(empty_database)


async def test_starts_at_once_do_not_collide_and_the_database_is_created(empty_database: str) -> None:
    missing = empty_database + "_missing"
    try:
        await asyncio.gather(*(asyncio.to_thread(migrate, missing) for _ in range(4)))
        assert differences(missing) == []
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {missing.rsplit('/', 1)[1]} WITH (FORCE)")


def test_change_capture_gets_whole_rows_of_the_documents_and_the_heartbeat(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        published = connection.execute(
            "SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1", [PUBLICATION]
        ).fetchall()
        identity = connection.execute(
            "SELECT relreplident::text FROM pg_class WHERE relname = 'title_document'"
        ).fetchone()
    assert published == [("change_capture_heartbeat",), ("title_document",)]
    assert identity == ("f",)


def test_a_server_that_is_not_there_is_said_in_words() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        migrate("postgresql://marquee:x@127.0.0.1:9/marquee")
