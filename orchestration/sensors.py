"""What starts the chain, and what settles it when a run ended without a word.

`uploads` reads completed uploads from the event log (its place is Dagster's cursor, no consumer group) and asks for one run an
upload; the run's key is the upload's id, so reading twice is harmless. What fails inside a stage is told by the stage, and
a killed run is retried by Dagster; `lost_ingests` compares the catalogue with the runs and mends what fell between.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
import msgspec

from assets.ingest.partitions import PRIORITY_TAG, UPLOAD_TAG, VERSION_TAG, titles
from marquee.errors import CursorInvalid, TitleUnknown
from marquee.events import TOPIC_STREAMS, TRANSCODING_JOBS, UploadCompleted
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Version
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Record
from orchestration.jobs import ingest

UPLOADS_A_TICK: Final = 50
"""A tick must end well within its time-out; the next follows at once."""
AGAIN_TAG: Final = "marquee/again"
MAX_AGAIN: Final = 3
LOOK_BACK: Final = timedelta(days=1)
RUNS_A_LOOK: Final = 200
_PARTITION_TAG: Final = "dagster/partition"


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Completed uploads, from the event log: a partition and a run each.",
)
def uploads(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
    completed, cursor = asyncio.run(_read(settings, context.cursor))
    return dg.SensorResult(
        run_requests=[_run_request(upload) for upload in completed],
        dynamic_partitions_requests=[titles.build_add_request(sorted({upload.movie_id for upload in completed}))]
        if completed
        else [],
        cursor=cursor,
    )


async def _read(settings: Settings, cursor: str | None) -> tuple[list[UploadCompleted], str]:
    event_log = await open_event_log(settings.event_log)
    try:
        await event_log.ensure_topic(TRANSCODING_JOBS, streams=TOPIC_STREAMS[TRANSCODING_JOBS])
        try:
            records, after = await event_log.read(TRANSCODING_JOBS, cursor, limit=UPLOADS_A_TICK)
        except CursorInvalid:
            # The platform moved to another engine. From its beginning: an upload whose run there is asks for none.
            get_logger().warning("the cursor is of another event log", cursor=cursor)
            records, after = await event_log.read(TRANSCODING_JOBS, None, limit=UPLOADS_A_TICK)
    finally:
        await event_log.close()
    return [upload for record in records if (upload := _upload_completed(record)) is not None], after


def _upload_completed(record: Record) -> UploadCompleted | None:
    """What a record tells; None for one that is no completed upload, which would stop this sensor at its place for ever."""
    try:
        return msgspec.json.decode(record.value, type=UploadCompleted)
    except msgspec.MsgspecError as error:
        get_logger().warning("a record is no completed upload", position=record.position, reason=str(error))
        return None


def _run_request(upload: UploadCompleted) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=upload.upload_id,
        partition_key=upload.movie_id,
        tags={
            UPLOAD_TAG: upload.upload_id,
            VERSION_TAG: str(upload.version),
            PRIORITY_TAG: "release" if upload.hot else "backfill",
            "dagster/priority": "10" if upload.hot else "0",
        },
    )


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ingests whose run ended without a word and is not retried: started again, or told to the title's page.",
)
def lost_ingests(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult | dg.SkipReason:
    # Of any job: what a person materializes in the UI runs in a job of Dagster's own.
    ended = context.instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
            updated_after=datetime.now(UTC) - LOOK_BACK,
        ),
        limit=RUNS_A_LOOK,
    )
    runs = [record.dagster_run for record in ended if _is_of_a_title(record.dagster_run)]
    return dg.SensorResult(run_requests=asyncio.run(_again(settings, runs)))


def _is_of_a_title(run: dg.DagsterRun) -> bool:
    """Whether a title waits for it: not one that Dagster's own run retries have, or are about to."""
    return _PARTITION_TAG in run.tags and run.tags.get("dagster/will_retry") != "true"


async def _again(settings: Settings, runs: Sequence[dg.DagsterRun]) -> list[dg.RunRequest]:
    """What to start again; a title whose run a person cancelled, or was lost too often, is told so."""
    again = []
    catalogue = await open_catalogue(settings.database)
    try:
        for run in runs:
            try:
                version = await _worked_on(catalogue, run)
            except TitleUnknown:
                continue
            if version is None or version.state != "ingesting":
                continue  # a stage said how it ended, or a newer run has it
            movie_id, number, stage = version.movie_id, version.version, version.stage
            if run.status == dg.DagsterRunStatus.CANCELED:
                await catalogue.fail(movie_id, number, f"{stage}: the run was cancelled in Dagster.")
            elif int(run.tags.get(AGAIN_TAG, "0")) >= MAX_AGAIN:
                await catalogue.fail(movie_id, number, f"{stage}: the run was lost again and again.")
            else:
                again.append(_as_before(run, version))
    finally:
        await catalogue.close()
    return again


async def _worked_on(catalogue: Catalogue, run: dg.DagsterRun) -> Version | None:
    """The version that a run worked on last; None where it is another run's. Raises `TitleUnknown`."""
    if (tagged := run.tags.get(VERSION_TAG)) is not None:
        version = await catalogue.version(run.tags[_PARTITION_TAG], int(tagged))
        return version if version.run_id in (None, run.run_id) else None
    # Started by a person, for the title's newest version then; it is known by what its stages reported.
    version = await catalogue.newest_version(run.tags[_PARTITION_TAG])
    return version if version.run_id == run.run_id else None


def _as_before(run: dg.DagsterRun, version: Version) -> dg.RunRequest:
    kept = {key: run.tags[key] for key in (PRIORITY_TAG, "dagster/priority") if key in run.tags}
    return dg.RunRequest(
        run_key=f"again:{run.run_id}",
        partition_key=version.movie_id,
        tags={
            **kept,
            UPLOAD_TAG: version.upload_id,
            VERSION_TAG: str(version.version),
            AGAIN_TAG: str(int(run.tags.get(AGAIN_TAG, "0")) + 1),
        },
    )
