"""The URL of a store on each engine, as fixtures of the whole suite.

Each contract suite has a table `ENGINES`: an engine's name -> the fixture with the URL of a store of that engine. One more entry
runs the suite on another engine. Suites use new ids. The suites that count the content of a store (queue, catalogue) ask for
an empty one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from marquee.platform.cluster_engines.cassandra import CASSANDRA
from marquee.platform.cluster_engines.redis_cluster import REDIS_CLUSTER
from marquee.settings import Settings
from marquee.stores.change_capture.slot import HEARTBEAT_TABLE
from marquee.stores.schema.migrate import migrate
from marquee.stores.schema.tables import metadata
from tests.harness.aws_logins import (  # noqa: F401 - fixtures of the suite of objects
    aws_chain,
    role,
    s3_by_environment,
    s3_by_role,
    s3_by_shared_file,
    s3_without_login,
)
from tests.harness.servers import running_engine


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Settings) -> str:
    """URL of a migrated database that only the contract suites use."""
    return migrated(postgres_server)


@pytest.fixture(scope="session")
def older_postgres_url(older_postgres_server: Settings) -> str:
    return migrated(older_postgres_server)


@pytest.fixture
def emptied_postgres_url(postgres_url: str) -> str:
    return emptied(postgres_url)


@pytest.fixture
def emptied_older_postgres_url(older_postgres_url: str) -> str:
    return emptied(older_postgres_url)


def migrated(server: Settings) -> str:
    url = server.postgres_url("contract")
    migrate(url)
    return url


def emptied(url: str) -> str:
    tables = [sql.Identifier(name) for name in metadata.tables if name != HEARTBEAT_TABLE]
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(tables)))
    return url


# --- stores beside PostgreSQL: a shared engine each; names in the suites are unique a test ---------------------


@pytest.fixture(scope="session")
def valkey_coordination_url(valkey_log_server: Settings) -> str:
    return valkey_log_server.coordination


@pytest.fixture(scope="session")
def valkey_cache_url(valkey_cache_server: Settings) -> str:
    return valkey_cache_server.row_cache


@pytest.fixture(scope="session")
def cassandra_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the one Cassandra that all suites use."""
    return tmp_path_factory.mktemp("cassandra")


@pytest.fixture(scope="session")
def cassandra_url(cassandra_folder: Path) -> Iterator[str]:
    with running_engine(CASSANDRA, cassandra_folder) as urls:
        yield urls["MARQUEE_RESUME_POSITIONS_URL"]


@pytest.fixture(scope="session")
def redis_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_engine(REDIS_CLUSTER, tmp_path_factory.mktemp("redis-cluster")) as urls:
        yield urls["MARQUEE_ROW_CACHE_URL"]


@pytest.fixture(scope="module")
def tantivy_urls(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes URLs of new search indices; so does `elasticsearch_urls`."""
    return lambda: f"tantivy://{tmp_path_factory.mktemp('tantivy') / 'search'}"
