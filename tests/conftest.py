"""Fixtures that every part of the suite shares: settings, the real engines, the media of `../shared/data`."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from marquee.platform import local_engines
from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.settings import Settings
from tests.harness.databases import empty_database, migrated_database  # noqa: F401 - fixtures of the whole suite
from tests.harness.older_postgres import older_postgres
from tests.harness.search_indices import remove_indices
from tests.harness.servers import make_test_settings, running, running_engine, running_s3

pytest_plugins = ["tests.harness.store_urls"]

PROJECT = Path(__file__).parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("marquee", deadline=None)
hypothesis.settings.load_profile("marquee")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of this test process's own engines."""
    return make_test_settings(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def postgres_server(settings: Settings) -> Iterator[Settings]:
    with running(local_engines.postgres(settings), settings.state):
        yield settings


@pytest.fixture(scope="session")
def older_postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    own = make_test_settings(tmp_path_factory.mktemp("older-postgres"))
    with running(older_postgres(own), own.state):
        yield own


@pytest.fixture(scope="session")
def valkey_cache_server(settings: Settings) -> Iterator[Settings]:
    with running(local_engines.valkey_cache(settings), settings.state):
        yield settings


@pytest.fixture(scope="session")
def valkey_log_server(settings: Settings) -> Iterator[Settings]:
    with running(local_engines.valkey_log(settings), settings.state):
        yield settings


@pytest.fixture(scope="session")
def valkey_log_url(valkey_log_server: Settings) -> str:
    """An event log whose consumers' leases are short."""
    return f"{valkey_log_server.event_log}?lease_seconds=1.5"


@pytest.fixture(scope="session")
def kafka_log_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same on Kafka, a broker of this test process; its tests carry `xdist_group("kafka")`, so that one process has it."""
    with running_engine(KAFKA, tmp_path_factory.mktemp("kafka")) as urls:
        yield f"{urls['MARQUEE_EVENT_LOG_URL']}&lease_seconds=1.5"


@pytest.fixture(scope="session")
def s3_server(settings: Settings) -> Iterator[Settings]:
    with running_s3(settings):
        yield settings


@pytest.fixture(scope="session")
def elasticsearch_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the one Elasticsearch that all tests of this process use; they carry its `xdist_group`."""
    return tmp_path_factory.mktemp("elasticsearch")


@pytest.fixture(scope="session")
def elasticsearch_server(elasticsearch_folder: Path) -> Iterator[str]:
    """The URL of a search index in it, which no test uses as it is."""
    with running_engine(ELASTICSEARCH, elasticsearch_folder) as urls:
        yield urls["MARQUEE_SEARCH_URL"]


@pytest.fixture(scope="module")
def elasticsearch_urls(elasticsearch_server: str) -> Iterator[Callable[[], str]]:
    """Makes URLs of new search indices; those of a module are removed after it."""
    made: list[str] = []

    def make() -> str:
        made.append(f"{elasticsearch_server.rsplit('/', 1)[0]}/test-{secrets.token_hex(6)}")
        return made[-1]

    yield make
    asyncio.run(remove_indices(made))


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """The folder of real films; tests that need it skip where it is missing."""
    folder = SHARED_DATA / "video"
    if not folder.is_dir():
        pytest.skip("the shared media folder (../shared/data/video) is not beside this checkout")
    return folder
