"""A batch that Spark cannot make is tried twice, and then the step fails. A small process reports as Spark does."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
import pytest

pytest.importorskip("pyspark")

from assets.analytics import spark
from marquee.settings import load_settings

JOB = """
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as context:
    for asset in {assets!r}:
        context.report_asset_materialization(asset_key=asset, metadata={{"rows": 3}})
"""


class Unlocked:
    @contextlib.contextmanager
    def exclusively(self, _: str, *, wait_seconds: float) -> Iterator[None]:
        assert wait_seconds > 0
        yield


def test_a_batch_that_cannot_be_made_is_tried_twice_and_fails_the_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def run_to_end(command: Sequence[str], *, environment: Mapping[str, str], timeout_seconds: float) -> int:
        assert timeout_seconds > 0
        asked.append(command[-1])
        code = JOB.format(assets=[asset for asset in command[-1].split(",") if asset != "taste"])
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True, timeout=120)
        return 1

    monkeypatch.setattr(spark, "run_to_end", run_to_end)
    monkeypatch.setattr(spark, "open_warehouse", lambda _: Unlocked())
    monkeypatch.setattr(spark, "RETRY_SECONDS", 0.0)
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [spark.spark_batches],
            partition_key="2026-11-29",
            resources={"settings": load_settings(state=tmp_path)},
            instance=instance,
            raise_on_error=False,
        )
    made = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events() if event.asset_key}
    assert made == {"popularity", "candidates"}, "a batch that nobody reported counts as made"
    assert asked == ["popularity,candidates,taste", "taste"]
    [failed] = [event for event in done.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert failed.step_failure_data.user_failure_data is not None, failed.message
    assert "taste was not made" in str(failed.step_failure_data.user_failure_data.description)
