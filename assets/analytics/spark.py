"""Assets that Spark makes: `sessions` by one job of `jobs/spark/`, `popularity`, `taste` and `candidates` by another one, through
Dagster Pipes.

A job is `python -m jobs.spark.NAME`, the same command that a person can run in a shell. It reads the lake's list
and writes to PostgreSQL, whole or not at all; nothing of Spark stays after it. One job runs at a time on the whole
platform, because each takes the memory and the cores that Spark is given. What `popularity`, `taste` and `candidates` write
is a batch that nobody reads yet: `batches` judges it. Of a run of several days `sessions` makes each day, and the batches are
made once, for the last one.
"""

import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg
from dagster import open_pipes_session

from assets.analytics.catalogue import catalogue
from assets.analytics.events import event_day
from assets.analytics.installed import require_analytics
from assets.analytics.partitions import FRESH_DAY, OWNERS, days
from assets.analytics.subprocesses import run_to_end
from marquee.settings import Settings
from marquee.stores.warehouse import open_warehouse

JOB_SECONDS: Final = 4 * 3600.0
WAIT_SECONDS: Final = 4 * 3600.0
"""For another run's job."""
MORE_DAY_SECONDS: Final = 900.0
"""For each further day of a range."""
RETRY_SECONDS: Final = 60.0
BATCH_ATTEMPTS: Final = 2
JOB_RETRY: Final = dg.RetryPolicy(max_retries=1, delay=60, jitter=dg.Jitter.PLUS_MINUS)


@dg.asset(
    deps=[event_day],
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"spark"},
    owners=OWNERS,
    retry_policy=JOB_RETRY,
    freshness_policy=FRESH_DAY,
)
def sessions(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The day's playback sessions, and the facts of the day: what was watched, quality of experience, failures, searches.

    A session belongs to the day in which it began. Startup time is of plays only, rebuffering leaves seeks out, and robots and
    previews by engineers are in no figure. The facts replace those of the same day: a day can be made again at any time.
    """
    require_analytics("pyspark", "pyarrow")
    first, day = context.partition_key_range.start, context.partition_key_range.end
    done = _by_spark(context, settings, "sessions", ["--day", day, *(["--first", first] if first != day else [])])
    if done.code:
        raise dg.Failure(description=done.reason, metadata={"seconds": done.seconds})
    return dg.MaterializeResult(metadata={**done.figures.get("sessions", {}), "seconds": done.seconds, "day": day})


BATCHES: Final[Mapping[str, str]] = {
    "popularity": "Trending titles, of all genres and of each.\n\n"
    "By the growth of watching against the title's own past, damped for small numbers.",
    "candidates": "Titles in the order of the bytes that encoding them again would save: watch hours times the expected saving.",
    "taste": "What profiles may like because of what they watched, and more like every title.\n\n"
    "By ALS on the shares that were watched; titles that nobody watched by genres, people and words.",
}
"""Asset -> its description, in the order in which they are made."""


@dg.multi_asset(
    name="spark_batches",
    specs=[
        dg.AssetSpec(
            asset,
            deps=[sessions, catalogue],
            description=description,
            kinds={"spark"},
            owners=OWNERS,
            freshness_policy=FRESH_DAY,
        )
        for asset, description in BATCHES.items()
    ],
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
)
def spark_batches(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult[None]]:
    """One Spark for the batches, because its start costs more than a small batch.

    What is missing is tried once more. If a batch is still missing the step fails, and none of the three is accepted.
    """
    require_analytics("pyspark", "pyarrow")
    day = context.partition_key_range.end
    missing = [asset for asset in BATCHES if dg.AssetKey(asset) in context.selected_asset_keys]
    reason = ""
    for attempt in range(1, BATCH_ATTEMPTS + 1):
        done = _by_spark(context, settings, "batches", ["--through", day, "--only", ",".join(missing)])
        for asset in [asset for asset in missing if asset in done.figures]:
            missing.remove(asset)
            yield dg.MaterializeResult(asset, metadata={**done.figures[asset], "seconds": done.seconds, "day": day})
        if not missing:
            return
        reason = done.reason
        if attempt < BATCH_ATTEMPTS:
            context.log.warning(
                f"{', '.join(missing)} is missing and is tried again in {RETRY_SECONDS:.0f} s: {reason}"
            )
            time.sleep(random.uniform(0.75, 1.25) * RETRY_SECONDS)  # noqa: S311 - jitter
    raise dg.Failure(
        description=f"{', '.join(missing)} was not made, and viewers keep what they had of all batches. {reason}",
        allow_retries=False,
    )


@dataclass(frozen=True)
class Done:
    """How a job's process ended. `figures`: asset -> its metadata."""

    job: str
    code: int
    seconds: float
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return f"The Spark job {self.job} ended with code {self.code}. Its words are in the step's logs (stderr)."


def _by_spark(context: dg.AssetExecutionContext, settings: Settings, job: str, options: Sequence[str]) -> Done:
    command = [sys.executable, "-m", f"jobs.spark.{job}", *options]
    days_ = len(context.partition_keys)
    context.log.info(f"MARQUEE_STATE={settings.state} python {' '.join(command[1:])}")
    with open_warehouse(settings.database).exclusively("spark", wait_seconds=WAIT_SECONDS):
        began = time.monotonic()
        with open_pipes_session(
            context=context,
            context_injector=dg.PipesTempFileContextInjector(),
            message_reader=dg.PipesTempFileMessageReader(),
        ) as pipes:
            environment = {**pipes.get_bootstrap_env_vars(), "MARQUEE_STATE": str(settings.state)}
            seconds = JOB_SECONDS + (days_ - 1) * MORE_DAY_SECONDS
            code = run_to_end(command, environment=environment, timeout_seconds=seconds)
        took = round(time.monotonic() - began, 1)
    told = {
        one.asset_key.to_user_string(): dict(one.metadata or {})
        for one in pipes.get_results(implicit_materializations=False)
        if isinstance(one, dg.MaterializeResult) and one.asset_key
    }
    return Done(job, code, took, told)
