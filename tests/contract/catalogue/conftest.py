"""What the catalogue's suites share: an emptied catalogue of each engine."""

from collections.abc import AsyncIterator

import pytest

from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from tests.harness.databases import EMPTIED_POSTGRES

ENGINES = EMPTIED_POSTGRES


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[Catalogue]:
    store = open_catalogue(url)
    yield store
    await store.close()
