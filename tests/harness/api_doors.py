"""A whole platform behind its gateway for the tests of HTTP, and a logged-in engineer."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings
from tests.harness.http_probes import get
from tests.harness.servers import make_test_settings

WITHOUT = (
    "transcode,search-sync,change-capture,outbox,housekeeping,edge-logs,"
    "dagster-code-ingest,dagster-code-analytics,dagster-webserver,dagster-daemon"
)
PROGRESS = "/api/v1/stream/progress"
JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Doors:
    """Where the API answers, and the header of a logged-in engineer."""

    settings: Settings
    gateway: str
    api: str
    token: str

    @property
    def login(self) -> str:
        return f"Authorization: Bearer {self.token}"

    def post(self, body: bytes, *headers: str, path: str = PROGRESS) -> bytes:
        return get(path, self.login, *(headers or (JSON,)), method="POST", body=body)


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Gateway, API, edges, web and engines, each a real process."""
    settings = asyncio.run(start(make_test_settings(tmp_path_factory.mktemp("doors") / "state", without=WITHOUT)))
    try:
        login = {"email": settings.email, "password": settings.password.get_secret_value()}
        session = httpx.post(f"{settings.public}/api/v1/sessions", json=login).raise_for_status().json()
        yield Doors(settings, settings.public, settings.loopback("api"), session["access_token"])
    finally:
        asyncio.run(stop(settings))
