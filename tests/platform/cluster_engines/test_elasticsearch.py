"""`marquee engines up elasticsearch` as people use it: an address that answers, and nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.platform.cluster_engines.instances import instance
from marquee.platform.state import run_folder
from marquee.platform.supervisor import leftovers
from marquee.settings import Settings
from marquee.stores.search.elasticsearch.client import open_client
from marquee.stores.search.elasticsearch.url import parse_target
from tests.harness.cluster_engines.instances import expect_nothing_outlives_the_supervisor, instance_of, marquee

pytestmark = pytest.mark.xdist_group("elasticsearch")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    with instance_of(ELASTICSEARCH, tmp_path) as settings:
        yield settings


async def test_an_address_that_answers_and_nothing_outlives_the_supervisor(started: Settings) -> None:
    url = str(marquee(started, ELASTICSEARCH, "up")[-1]["MARQUEE_SEARCH_URL"])
    client = open_client(parse_target(url))
    await client.cluster.health(wait_for_status="green")
    await client.close()
    (process,) = marquee(started, ELASTICSEARCH, "status")
    assert (process["name"], process["state"]) == ("elasticsearch", "running")

    run = run_folder(instance(started, ELASTICSEARCH))
    assert len(leftovers.of_platform(run)) > 2, "the server runs below its launcher"
    await expect_nothing_outlives_the_supervisor(started, ELASTICSEARCH)
