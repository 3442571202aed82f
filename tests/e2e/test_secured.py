"""The whole platform reaches every engine by TLS, and all but Elasticsearch with a login, told by its URLs alone.

PostgreSQL and Kafka end TLS themselves; a proxy of the test ends it for Cassandra, Elasticsearch, Valkey and S3.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.client.uploader import upload_film
from marquee.demo.checks import resume_rule_holds
from marquee.platform import local_engines
from marquee.platform.cluster_engines.cassandra import CASSANDRA
from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.platform.project import FIXTURES
from marquee.platform.state import S3_ACCESS_KEYS, S3_SECRET_KEYS
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings
from tests.harness.media import watched
from tests.harness.secured import HOST, LOOPBACK, SecuredKafka, secured_kafka, secured_postgres, valkey_with_password
from tests.harness.servers import make_test_settings, running, running_engine
from tests.harness.stream_files import fetch_title
from tests.harness.tls import make_certificate, tls_in_front_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

TITLE = "Locked Doors"
INGEST_SECONDS = 240.0
SEARCH_SECONDS = 30.0


@dataclass(frozen=True)
class Engines:
    postgres: Callable[[str], str]
    kafka: SecuredKafka
    valkey_port: int
    valkey_password: str
    cassandra: str
    elasticsearch: str
    s3: Settings


@pytest.fixture(scope="module")
def running_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(secured_postgres(tmp_path_factory.mktemp("postgres")))
        kafka = stack.enter_context(secured_kafka(tmp_path_factory.mktemp("kafka")))
        valkey = stack.enter_context(valkey_with_password(tmp_path_factory.mktemp("valkey")))
        cassandra = stack.enter_context(running_engine(CASSANDRA, tmp_path_factory.mktemp("cassandra")))
        elasticsearch = stack.enter_context(running_engine(ELASTICSEARCH, tmp_path_factory.mktemp("elasticsearch")))
        s3 = make_test_settings(tmp_path_factory.mktemp("s3"))
        stack.enter_context(running(local_engines.seaweedfs(s3), s3.state))
        yield Engines(
            postgres,
            kafka,
            *valkey,
            cassandra["MARQUEE_RESUME_POSITIONS_URL"],
            elasticsearch["MARQUEE_SEARCH_URL"],
            s3,
        )


@contextlib.asynccontextmanager
async def platform(found: Engines, folder: Path) -> AsyncIterator[Settings]:
    """A whole platform that starts no engine of its own."""
    certificate, key = make_certificate(folder, HOST, address=LOOPBACK)
    async with contextlib.AsyncExitStack() as stack:

        async def behind_tls(port: int | None) -> int:
            assert port is not None
            return await stack.enter_async_context(tls_in_front_of(port, certificate, key))

        cassandra, elasticsearch = urlsplit(found.cassandra), urlsplit(found.elasticsearch)
        # By its address, as the cluster announces its nodes.
        login = cassandra.netloc.rpartition("@")[0]
        cassandra_door = f"{login}@{LOOPBACK}:{await behind_tls(cassandra.port)}"
        valkey_door = f"valkeys://:{found.valkey_password}@{HOST}:{await behind_tls(found.valkey_port)}"
        elasticsearch_door = f"{HOST}:{await behind_tls(elasticsearch.port)}"
        s3 = f"s3+https://{HOST}:{await behind_tls(found.s3.port('s3_inner'))}"
        settings = make_test_settings(
            folder / "state",
            database_url=found.postgres("marquee"),
            dagster_database_url=found.postgres("dagster"),
            event_log_url=found.kafka.by_password(),
            coordination_url=f"{valkey_door}/1?ca={certificate}",
            row_cache_url=f"{valkey_door}/2?ca={certificate}",
            resume_positions_url=f"cassandras://{cassandra_door}{cassandra.path}?{cassandra.query}&ca={certificate}",
            search_url=f"elasticsearchs://{elasticsearch_door}{elasticsearch.path}?ca={certificate}",
            objects_url=f"{s3}/marquee-ingest?ca={certificate}",
            published_url=f"{s3}/marquee-published?ca={certificate}",
            public_s3_url=found.s3.loopback("s3_inner"),
            **{name: getattr(found.s3, name) for name in (*S3_ACCESS_KEYS, *S3_SECRET_KEYS)},
        )
        settings = await start(settings)
        try:
            yield settings
        finally:
            await stop(settings)


async def test_a_film_goes_through_engines_that_are_reached_by_tls(running_engines: Engines, tmp_path: Path) -> None:
    async with platform(running_engines, tmp_path) as settings, ApiSession(settings.public) as api:
        await api.log_in(settings.email, settings.password.get_secret_value())
        uploaded = await upload_film(api, FIXTURES / "bikes_640x272_silent.mp4", {"title": TITLE})
        ended = await follow_upload(api, uploaded["upload_id"], seconds=INGEST_SECONDS)
        assert ended["state"] == "playable", ended
        movie_id = ended["movie_id"]

        (tmp_path / "title").mkdir()
        await fetch_title(await api.get("/stream", movie_id=movie_id), tmp_path / "title")
        assert await watched.variants(tmp_path / "title"), "an edge must have fetched the title through TLS"
        await resume_rule_holds(api, movie_id)
        await found_in_search(api, movie_id)


async def found_in_search(api: ApiSession, movie_id: str) -> None:
    """The catalogue's change must come through capture, Kafka and the sync."""
    async with asyncio.timeout(SEARCH_SECONDS):
        while True:
            results = (await api.get("/search", q=TITLE))["results"]
            if movie_id in {item["movie_id"] for item in results}:
                return
            await asyncio.sleep(0.2)
