"""`python -m orchestration.analytics_run --first DAY --last DAY`: the chain of analytics in this process, without Dagster's UI
and daemon.

For installations without them, such as a CronJob (`marquee analytics run`). The assets, checks and jobs are those of the code
location. Nothing is stored in Dagster: a run that is killed leaves no run there that seems to work for ever and would hold up
its queue. So the catalogue's check does not know how many titles passed before. Runs of this kind wait for each other by
a lock in PostgreSQL. Each line of stdout is a JSON object: the steps so far, in the end the outcome. All else goes to stderr.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, TextIO

import dagster as dg
import msgspec

from marquee.client.dagster_runs import RANGE_END_TAG, RANGE_START_TAG
from marquee.client.run_outcome import RunOutcome, first_line, of_steps
from marquee.errors import MarqueeError
from marquee.settings import load_settings
from marquee.stores.warehouse import open_warehouse
from orchestration.analytics import analytics_definitions
from orchestration.analytics_jobs import analytics_day

WAIT_SECONDS: Final = 4 * 3600.0


class Told:
    """Writes what becomes of each step. A step is told when it has ended."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._steps: dict[str, str] = {}

    def step(self, name: str, status: str) -> None:
        self._steps[name] = status
        self.write({"steps": self._steps})

    def write(self, told: object) -> None:
        self._output.write(msgspec.json.encode(told).decode() + "\n")
        self._output.flush()


def run(first: str, last: str, told: Told) -> RunOutcome:
    """Run the chain of these days. Raises `StoreUnavailable` without PostgreSQL, or while another run works for too long."""
    settings = load_settings()

    @dg.success_hook
    def on_success(context: dg.HookContext) -> None:
        told.step(context.op.name, "SUCCESS")

    @dg.failure_hook
    def on_failure(context: dg.HookContext) -> None:
        told.step(context.op.name, "FAILURE")

    job = analytics_definitions(settings).resolve_job_def(analytics_day.name).with_hooks({on_success, on_failure})
    days = {"partition_key": first} if first == last else {"tags": {RANGE_START_TAG: first, RANGE_END_TAG: last}}
    waiting = open_warehouse(settings.database).exclusively("runs", wait_seconds=WAIT_SECONDS)
    with waiting, dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False, **days)
    return outcome_of(result)


def outcome_of(result: dg.ExecuteInProcessResult) -> RunOutcome:
    evaluations = result.get_asset_check_evaluations()
    return RunOutcome(
        "SUCCESS" if result.success else "FAILURE",
        {
            event.asset_key.to_user_string(): dict(_numbers(event.materialization.metadata))
            for event in result.get_asset_materialization_events()
            if event.asset_key
        },
        {one.check_name: one.description or "" for one in evaluations if not one.passed},
        of_steps(dict(_failures(result))),
    )


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, str]]:
    for event in result.all_events:
        if event.event_type != dg.DagsterEventType.STEP_FAILURE or event.step_key is None:
            continue
        failure = event.step_failure_data
        described = failure.user_failure_data.description if failure.user_failure_data else None
        errors = [error.message for error in (failure.error and failure.error.cause, failure.error) if error]
        yield event.step_key, described or first_line(errors)


def _numbers(metadata: Mapping[str, dg.MetadataValue[Any]]) -> Iterator[tuple[str, int | str]]:
    for label, value in metadata.items():
        if isinstance(value, dg.IntMetadataValue | dg.TextMetadataValue) and value.value is not None:
            yield label, value.value


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m orchestration.analytics_run")
    parser.add_argument("--first", required=True)
    parser.add_argument("--last", required=True)
    asked = parser.parse_args()
    # Spark and dbt write to stdout too: theirs goes to stderr from here on.
    told = Told(os.fdopen(os.dup(sys.stdout.fileno()), "w"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        outcome = run(asked.first, asked.last, told)
    except MarqueeError as error:
        outcome = RunOutcome("FAILURE", failed={"run": error.detail})
    told.write({"outcome": outcome})
    raise SystemExit(0 if outcome.is_whole else 1)


if __name__ == "__main__":
    main()
