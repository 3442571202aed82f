"""What the contract suites share.

Each suite has a table `ENGINES`: an engine's name, and the fixture that gives the URL of a store of that engine. Handing
a suite to another engine is one more entry. Suites use ids of their own; the ones that count what is in a store (queue,
catalogue) ask for an emptied one.
"""

import psycopg
import pytest
from psycopg import sql

from marquee.settings import Settings
from marquee.stores.migrate import migrate
from marquee.stores.tables import HEARTBEAT_TABLE, metadata


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Settings) -> str:
    """A migrated database that the contract suites alone use."""
    url = postgres_server.database.rsplit("/", 1)[0] + "/contract"
    migrate(url)
    return url


@pytest.fixture
def emptied_postgres_url(postgres_url: str) -> str:
    tables = [sql.Identifier(name) for name in metadata.tables if name != HEARTBEAT_TABLE]
    with psycopg.connect(postgres_url) as connection:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(tables)))
    return postgres_url
