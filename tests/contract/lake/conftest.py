"""A lake in a folder and one in a bucket of SeaweedFS, each with a list of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.settings import Settings
from marquee.stores.lake.contract import Lake
from tests.harness.lake.lakes import bucket_url, lake_settings, opened

ENGINES = ["folder", "s3"]


@pytest.fixture(params=ENGINES)
def where(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: Settings, emptied_postgres_url: str
) -> Settings:
    if request.param == "folder":
        return lake_settings(
            postgres_server, emptied_postgres_url, f"file://{tmp_path / 'the lake'}".replace(" ", "%20")
        )
    return lake_settings(postgres_server, emptied_postgres_url, bucket_url(request.getfixturevalue("s3_server")))


@pytest.fixture
async def lake(where: Settings) -> AsyncIterator[Lake]:
    async with opened(where) as found:
        yield found
