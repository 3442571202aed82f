"""Fixtures: the API in process over the session's real engines, accounts of each role, and seeded titles."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from pydantic import SecretStr

from api.app import create_app
from api.auth.passwords import Passwords
from marquee import token_keys
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER
from marquee.domain.roles import Role
from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from tests.harness.api.at_once import ConcurrentClient, concurrent_client
from tests.harness.api.seeding import Seeder

PASSWORD = "a long enough secret"


@pytest.fixture(scope="session")
def api_settings(
    migrated_database: Settings, valkey_cache_server: Settings, valkey_log_server: Settings, s3_server: Settings
) -> Settings:
    return migrated_database.model_copy(
        update={
            "token_private_key": SecretStr(token_keys.generate_private_key()),
            "upload_max_bytes": 100 * 1024 * 1024,
            # A busy machine is not what these tests are about.
            "row_timeout_seconds": 5.0,
            "request_deadline_seconds": 20.0,
        }
    )


@pytest.fixture(scope="session")
async def stores(api_settings: Settings) -> AsyncIterator[Stores]:
    async with open_stores(api_settings, search_writer=True) as opened:
        await opened.objects.ensure_bucket()
        await opened.published.ensure_bucket()
        yield opened


@pytest.fixture(scope="session")
async def app(api_settings: Settings, stores: Stores) -> Litestar:
    return create_app(api_settings)


@pytest.fixture(scope="session")
async def client(app: Litestar) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A client without a token.

    `raise_server_exceptions` is off, so that a fault shows as the 500 that a client would get.
    """
    async with AsyncTestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
async def concurrent(api_settings: Settings, stores: Stores) -> AsyncIterator[ConcurrentClient]:
    """A client whose requests run at the same time."""
    async with concurrent_client(api_settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def own_address(request: pytest.FixtureRequest) -> None:
    """Each test is a client of its own: the wrong logins of one test count towards no other test's limits."""
    if "client" in request.fixturenames:
        opened: AsyncTestClient[Litestar] = request.getfixturevalue("client")
        opened.headers[CLIENT_ADDRESS_HEADER] = f"10.{'.'.join(str(secrets.randbelow(256)) for _ in range(3))}"


@dataclass(frozen=True)
class Person:
    """A logged-in account."""

    email: str
    account_id: str
    profile_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class People:
    def __init__(self, stores: Stores, client: httpx.AsyncClient) -> None:
        self._stores, self._client, self._passwords = stores, client, Passwords()

    async def join(self, role: Role = "viewer") -> Person:
        email = f"{role}-{secrets.token_hex(4)}@example.org"
        account = await self._stores.accounts.create(
            email, await self._passwords.hash(PASSWORD), role=role, profile_names=["Anna", "Ben"]
        )
        answer = await self._client.post("/api/v1/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, f"a {role} could not log in: {answer.text}"
        session = answer.json()
        return Person(email, account.account_id, session["profile_id"], session["access_token"])


@pytest.fixture(scope="session")
async def people(stores: Stores, client: AsyncTestClient[Litestar]) -> People:
    return People(stores, client)


@pytest.fixture(scope="session")
async def viewer(people: People) -> Person:
    return await people.join("viewer")


@pytest.fixture(scope="session")
async def engineer(people: People) -> Person:
    return await people.join("engineer")


@pytest.fixture(scope="session")
async def seed(stores: Stores) -> Seeder:
    return Seeder(stores)
