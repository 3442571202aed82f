"""The chain's tests share one platform; each test ingests titles of its own."""

from collections.abc import AsyncIterator, Iterator

import dagster as dg
import pytest

from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from tests.harness.chain import platform_settings, workers  # noqa: F401 - fixtures


@pytest.fixture
async def stores(platform_settings: Settings) -> AsyncIterator[Stores]:  # noqa: F811
    async with open_stores(platform_settings) as stores:
        yield stores


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
