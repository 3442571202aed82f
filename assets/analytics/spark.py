"""Assets that Spark makes: `sessions`, `popularity`, `taste`, `candidates`, each by a job of `jobs/spark/` through Dagster
Pipes.

A job is `python -m jobs.spark.NAME`, the same command that a person can run in a shell. It reads the lake's list
and writes to PostgreSQL, whole or not at all; nothing of Spark stays after it. One job runs at a time on the whole
platform, because each takes the memory and the cores that Spark is given. What `popularity`, `taste` and `candidates` write
is a batch that nobody reads yet: `batches` judges it.
"""

import sys
import time
from collections.abc import Mapping
from typing import Final

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
DAY_OPTION: Final[Mapping[str, str]] = {
    "sessions": "day",
    "popularity": "through",
    "taste": "through",
    "candidates": "through",
}
"""A job of one day, or of the weeks that end with it."""
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
    return _by_spark(context, settings, "sessions")


_found_in_sessions = dg.asset(
    deps=[sessions, catalogue],
    partitions_def=days,
    kinds={"spark"},
    owners=OWNERS,
    retry_policy=JOB_RETRY,
    freshness_policy=FRESH_DAY,
)


@_found_in_sessions
def popularity(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Trending titles, of all genres and of each.

    By the growth of watching against the title's own past, damped for small numbers.
    """
    return _by_spark(context, settings, "popularity")


@_found_in_sessions
def taste(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """What profiles may like because of what they watched, and more like every title.

    By ALS on the shares that were watched; titles that nobody watched by genres, people and words.
    """
    return _by_spark(context, settings, "taste")


@_found_in_sessions
def candidates(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Titles in the order of the bytes that encoding them again would save: watch hours times the expected saving."""
    return _by_spark(context, settings, "candidates")


def _by_spark(context: dg.AssetExecutionContext, settings: Settings, job: str) -> dg.MaterializeResult[None]:
    require_analytics("pyspark", "pyarrow")
    first, day = context.partition_key_range.start, context.partition_key_range.end
    command = [sys.executable, "-m", f"jobs.spark.{job}", f"--{DAY_OPTION[job]}", day]
    if first != day:
        command += ["--first", first]
    context.log.info(f"MARQUEE_STATE={settings.state} python {' '.join(command[1:])}")
    with open_warehouse(settings.database).exclusively("spark", wait_seconds=WAIT_SECONDS):
        began = time.monotonic()
        with open_pipes_session(
            context=context,
            context_injector=dg.PipesTempFileContextInjector(),
            message_reader=dg.PipesTempFileMessageReader(),
        ) as pipes:
            environment = {**pipes.get_bootstrap_env_vars(), "MARQUEE_STATE": str(settings.state)}
            code = run_to_end(command, environment=environment, timeout_seconds=JOB_SECONDS)
        seconds = time.monotonic() - began
    if code:
        raise dg.Failure(
            description=f"The Spark job {job} ended with code {code}. Its words are in the step's logs (stderr).",
            metadata={"seconds": round(seconds, 1)},
        )
    told = pipes.get_results()
    metadata = {**(told[0].metadata or {} if told and isinstance(told[0], dg.MaterializeResult) else {})}
    return dg.MaterializeResult(metadata={**metadata, "seconds": round(seconds, 1), "day": day})
