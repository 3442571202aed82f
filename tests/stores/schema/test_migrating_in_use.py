"""Revision 0009 on a database that older processes use: reads go on, and a migration that was killed goes on where it was."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, make_url

from marquee.stores.schema import migrate as migrating
from marquee.stores.schema.migrations import online
from marquee.stores.search.relevance import text
from tests.harness.databases import POSTGRES_SERVERS, own_database
from tests.stores.schema.test_migrations import differences

TITLES = 2500
"""More than two batches."""


@pytest.fixture(params=POSTGRES_SERVERS)
def database_of_0008(request: pytest.FixtureRequest) -> Iterator[str]:
    with own_database(request.getfixturevalue(request.param)) as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(migrating.alembic_config(connection), "0008")
        engine.dispose()
        with psycopg.connect(url) as connection_of_titles:
            connection_of_titles.execute(
                "INSERT INTO title (movie_id, title, genres, people, aka, state, revision)"
                " SELECT 'm' || n, 'The film rare' || n, '{}', '{}', '{}', 'announced', n FROM generate_series(1, %s) AS n",
                [TITLES],
            )
        yield url


def unfilled(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM title WHERE words = ''").fetchall()
        return int(count)


def test_titles_are_read_and_changed_while_the_words_of_all_are_filled(
    database_of_0008: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold, folded = text.words, 0

    def fold_while_others_work(title: str) -> Any:
        nonlocal folded
        folded += 1
        if folded == TITLES - 1:
            with psycopg.connect(database_of_0008, options="-c lock_timeout=20s") as connection:
                assert connection.execute("SELECT count(*) FROM title").fetchone() == (TITLES,)
                # In a batch that is filled: the ids' order is the text's.
                connection.execute("UPDATE title SET popularity = 1 WHERE movie_id = 'm1'")
        return fold(title)

    monkeypatch.setattr(text, "words", fold_while_others_work)
    migrating.migrate(database_of_0008)
    assert folded == TITLES
    assert unfilled(database_of_0008) == 0
    assert differences(database_of_0008) == []


@pytest.mark.parametrize("killed_at", ["title_changed_idx", "title_version_ended_idx"])
def test_after_a_kill_between_two_indices_it_goes_on(
    database_of_0008: str, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    build: Callable[..., None] = online.build_index

    def killed(name: str, *arguments: Any, **options: Any) -> None:
        if name == killed_at:
            raise KeyboardInterrupt
        build(name, *arguments, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patched.setattr(online, "build_index", killed)
        migrating.migrate(database_of_0008)
    assert unfilled(database_of_0008) == 0, "what was filled is undone"
    with psycopg.connect(database_of_0008) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0008",)]
        written = connection.execute("SELECT movie_id, xmin::text FROM title ORDER BY 1").fetchall()
    migrating.migrate(database_of_0008)
    assert differences(database_of_0008) == []
    with psycopg.connect(database_of_0008) as connection:
        again = connection.execute("SELECT movie_id, xmin::text FROM title ORDER BY 1").fetchall()
    assert again == written, "titles that were filled are written again"


def test_an_index_that_a_killed_build_left_is_built_anew(
    database_of_0008: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build: Callable[..., None] = online.build_index

    def killed_in_build(name: str, *arguments: Any, **options: Any) -> None:
        build(name, *arguments, **options)
        if name == "title_noted_idx":
            with psycopg.connect(database_of_0008) as connection:
                connection.execute(
                    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'title_noted_idx'::regclass"
                )
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patched.setattr(online, "build_index", killed_in_build)
        migrating.migrate(database_of_0008)
    migrating.migrate(database_of_0008)
    with psycopg.connect(database_of_0008) as connection:
        invalid = connection.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid").fetchall()
    assert invalid == []
    assert differences(database_of_0008) == []


def test_a_column_is_added_once_a_long_transaction_lets_go_and_readers_do_not_wait_for_that(
    database_of_0008: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader's transaction is open, so the first try ends. It leaves no lock behind, and the next one works."""
    monkeypatch.setattr(online, "LOCK_SECONDS", 0.1)
    tries = 0
    reader = psycopg.connect(database_of_0008)
    reader.execute("SELECT count(*) FROM title")
    look = online.waited_for_lock

    def waited(error: BaseException) -> bool:
        nonlocal tries
        tries += 1
        if tries == 2:
            with psycopg.connect(database_of_0008, options="-c lock_timeout=20s") as other:
                assert other.execute("SELECT count(*) FROM title").fetchone() == (TITLES,)
            reader.close()
        return look(error)

    monkeypatch.setattr(online, "waited_for_lock", waited)
    migrating.migrate(database_of_0008)
    assert tries >= 2
    assert differences(database_of_0008) == []
