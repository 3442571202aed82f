"""Fixtures of the job queue's tests: an empty queue of each engine."""

from collections.abc import AsyncIterator

import pytest

from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import JobQueue
from tests.harness.databases import EMPTIED_POSTGRES
from tests.harness.job_queue.steps import ATTEMPTS

ENGINES = EMPTIED_POSTGRES


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def queue(url: str) -> AsyncIterator[JobQueue]:
    store = open_job_queue(url, attempts=ATTEMPTS)
    yield store
    await store.close()
