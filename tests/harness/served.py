"""A served API for the tests of its clients: real engines, an engineer's account, small upload parts."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from api.auth.passwords import Passwords
from marquee import token_keys
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from tests.harness.api.serving import serving


@pytest.fixture(scope="module")
def served(
    migrated_database: Settings,
    valkey_cache_server: Settings,
    valkey_log_server: Settings,
    s3_server: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
    """Settings with which a client can log in; `public_url` is the API's address."""
    settings = migrated_database.model_copy(
        update={
            "token_private_key": SecretStr(token_keys.generate_private_key()),
            "search_url": f"tantivy://{tmp_path_factory.mktemp('search')}",
            "upload_part_bytes": 5 * 1024**2,
            "upload_max_bytes": 100 * 1024**2,
            "email": f"engineer-{secrets.token_hex(4)}@example.org",
            "password": SecretStr(secrets.token_hex(12)),
        }
    )
    asyncio.run(_prepare(settings))
    with serving(settings) as url:
        yield settings.model_copy(update={"public_url": url})


async def _prepare(settings: Settings) -> None:
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        password = await Passwords().hash(settings.password.get_secret_value())
        await stores.accounts.create(settings.email, password, role="engineer", profile_names=["Engineer"])
