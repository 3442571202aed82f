"""Sinks are killed by SIGKILL at every step, on both event logs and in both places of files: nothing lost, nothing twice."""

from pathlib import Path

import pytest

from marquee.settings import Settings
from tests.harness.lake.kills import Kills, measure
from tests.harness.lake.lakes import bucket_url, lake_settings

CI_KILLS, SOAK_KILLS = 2, 20


def check(found: Kills) -> None:
    assert (found.lost, found.doubled) == (0, 0), f"{found}"
    assert found.killed == found.asked, "a sink did not come to its step: the test tries less than it says"


async def test_no_kill_loses_or_doubles_an_event(where: Settings, event_log_url: str, tmp_path: Path) -> None:
    check(await measure(where, event_log_url, tmp_path, kills=CI_KILLS))


async def test_nor_does_one_where_the_files_are_in_a_bucket(
    where: Settings, valkey_log_url: str, s3_server: Settings, tmp_path: Path
) -> None:
    there = lake_settings(s3_server, where.database, bucket_url(s3_server)).model_copy(update={"state": tmp_path})
    check(await measure(there, valkey_log_url, tmp_path, kills=1))


@pytest.mark.soak
async def test_nor_do_many(where: Settings, event_log_url: str, tmp_path: Path) -> None:
    check(await measure(where, event_log_url, tmp_path, kills=SOAK_KILLS))
