"""The sensors of the chain. `uploads` starts runs, `lost_ingests` settles ingests whose run ended and said nothing, and
`cancelled_ingests` ends runs of cancelled versions that have not begun or do not end by themselves.

`uploads` reads completed uploads from the event log. Its position is Dagster's cursor, not a consumer group. It asks for one
run for each upload. The run's key is the upload's id, so to read a record twice is harmless. A failing stage records its
failure itself, and Dagster retries a killed run. `lost_ingests` compares the catalogue with the runs and repeats the rest.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
import msgspec

from assets.ingest.outcomes import TITLE_TAG, name_tag
from assets.ingest.partitions import UPLOAD_TAG, VERSION_TAG, titles
from marquee.domain.lifecycle import VERSIONS_OF_RUNS
from marquee.domain.priority import PRIORITY_TAG, priority_of
from marquee.errors import CursorInvalid, StoreUnavailable, TitleUnknown
from marquee.events import TOPIC_STREAMS, TRANSCODING_JOBS, UploadCompleted
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles, Versions
from marquee.stores.catalogue.values import EndedVersion, Version
from marquee.stores.event_log.contract import Record
from marquee.stores.opened import open_stores
from orchestration.jobs import ingest

MAX_UPLOADS_PER_TICK: Final = 50
"""A tick must end well within its time-out. The next tick follows at once."""
REPEATS_TAG: Final = "marquee/again"
MAX_REPEATS: Final = 3
LOOK_BACK: Final = timedelta(days=1)
MAX_RUNS_PER_TICK: Final = 200
OWN_END: Final = timedelta(seconds=30)
"""A stage sees within a second that its version was cancelled, and its run ends itself. Later than this, it is ended."""
_NOT_BEGUN: Final = frozenset((dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED))
_UNFINISHED: Final = _NOT_BEGUN | {dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED}
_PARTITION_TAG: Final = "dagster/partition"

log = get_logger()


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads completed uploads from the event log: adds a partition and starts a run for each.",
)
def uploads(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
    completed, names, cursor = asyncio.run(_read(settings, context.cursor))
    return dg.SensorResult(
        run_requests=[_run_request(upload, names.get(upload.movie_id)) for upload in completed],
        dynamic_partitions_requests=[titles.build_add_request(sorted({upload.movie_id for upload in completed}))]
        if completed
        else [],
        cursor=cursor,
    )


async def _read(settings: Settings, cursor: str | None) -> tuple[list[UploadCompleted], dict[str, str], str]:
    """The next completed uploads, the names of their titles, and the cursor after them."""
    async with open_stores(settings) as stores:
        event_log = stores.event_log
        await event_log.ensure_topic(TRANSCODING_JOBS, streams=TOPIC_STREAMS[TRANSCODING_JOBS])
        try:
            records, after = await event_log.read(TRANSCODING_JOBS, cursor, limit=MAX_UPLOADS_PER_TICK)
        except CursorInvalid:
            # The platform moved to another engine. Read from the beginning: an upload that has a run gets no second one.
            log.warning("the cursor is of another event log", cursor=cursor)
            records, after = await event_log.read(TRANSCODING_JOBS, None, limit=MAX_UPLOADS_PER_TICK)
        completed = [upload for record in records if (upload := _upload_completed(record)) is not None]
        return completed, await _names(stores.catalogue.titles, completed), after


async def _names(titles_: Titles, completed: Sequence[UploadCompleted]) -> dict[str, str]:
    """movie_id -> the title's name. Without the catalogue a run is called by its id: its first stage brings the name."""
    names = {}
    with contextlib.suppress(StoreUnavailable):
        for movie_id in {upload.movie_id for upload in completed}:
            with contextlib.suppress(TitleUnknown):
                names[movie_id] = (await titles_.get(movie_id)).details.title
    return names


def _upload_completed(record: Record) -> UploadCompleted | None:
    """The record's upload. None if it is no completed upload: an error would stop the sensor at this record for ever."""
    try:
        return msgspec.json.decode(record.value, type=UploadCompleted)
    except msgspec.MsgspecError as error:
        log.warning("a record is no completed upload", position=record.position, reason=str(error))
        return None


def _run_request(upload: UploadCompleted, name: str | None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=upload.upload_id,
        partition_key=upload.movie_id,
        tags={
            **({TITLE_TAG: name_tag(name)} if name else {}),
            UPLOAD_TAG: upload.upload_id,
            VERSION_TAG: str(upload.version),
            PRIORITY_TAG: priority_of(upload.hot),
            "dagster/priority": "10" if upload.hot else "0",
        },
    )


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds ingests whose run ended and is not retried: starts them again, or records the failure.",
)
def lost_ingests(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult | dg.SkipReason:
    # Runs of every job: assets that a person materializes in the UI run in a job of Dagster's own.
    ended = context.instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
            updated_after=datetime.now(UTC) - LOOK_BACK,
        ),
        limit=MAX_RUNS_PER_TICK,
    )
    runs = [record.dagster_run for record in ended if _waits_for_title(record.dagster_run)]
    return dg.SensorResult(run_requests=asyncio.run(_runs_to_repeat(settings, runs)))


def _waits_for_title(run: dg.DagsterRun) -> bool:
    """Whether it is a title's run that Dagster has not retried and will not retry."""
    return _PARTITION_TAG in run.tags and run.tags.get("dagster/will_retry") != "true"


async def _runs_to_repeat(settings: Settings, runs: Sequence[dg.DagsterRun]) -> list[dg.RunRequest]:
    """The runs to start again. An ingest that a person cancelled, or whose run was lost too often, is recorded as failed."""
    again = []
    async with open_stores(settings) as stores:
        versions = stores.catalogue.versions
        for run in runs:
            try:
                version = await _version_of_run(versions, run)
            except TitleUnknown:
                continue
            if version is None or version.state not in VERSIONS_OF_RUNS:
                continue  # A stage recorded how it ended, or a newer run works on it.
            movie_id, number, stage = version.movie_id, version.version, version.stage
            if run.status == dg.DagsterRunStatus.CANCELED:
                await versions.fail(movie_id, number, f"{stage}: the run was cancelled in Dagster.")
            elif int(run.tags.get(REPEATS_TAG, "0")) >= MAX_REPEATS:
                await versions.fail(
                    movie_id, number, f"{stage}: its runs ended {MAX_REPEATS + 1} times without a result."
                )
            else:
                again.append(_repeated_run(run, version))
    return again


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends the runs of versions that were cancelled and have not begun, or do not end by themselves.",
)
def cancelled_ingests(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SkipReason:
    found, cursor = asyncio.run(_cancelled(settings, context.cursor))
    context.update_cursor(cursor)
    cancelled = {(one.movie_id, str(one.version)): one.ended_at for one in found}
    if not cancelled:
        return dg.SkipReason("No version was cancelled in the last day.")
    runs = context.instance.get_runs(
        dg.RunsFilter(
            tags={_PARTITION_TAG: sorted({movie_id for movie_id, _ in cancelled})}, statuses=list(_UNFINISHED)
        ),
        limit=MAX_RUNS_PER_TICK,
    )
    ended = 0
    for run in runs:
        at = cancelled.get((run.tags[_PARTITION_TAG], run.tags.get(VERSION_TAG, "")))
        if at is None or (run.status not in _NOT_BEGUN and datetime.now(UTC) - at < OWN_END):
            continue  # A stage that runs ends its run itself, and removes what it stored.
        context.instance.run_coordinator.cancel_run(run.run_id)
        ended += 1
    return dg.SkipReason(f"{ended} runs of cancelled versions were ended.")


async def _cancelled(settings: Settings, cursor: str | None) -> tuple[Sequence[EndedVersion], str]:
    """The newest page of the day's cancelled versions, and one older page. The cursor is the time up to which the next one goes.

    A page is bounded. The newest comes at each tick: of a mass of cancellations none waits behind another day's.
    """
    now = datetime.now(UTC)
    oldest = now - LOOK_BACK
    before = datetime.fromisoformat(cursor) if cursor else now
    async with open_stores(settings) as stores:
        newest = await stores.catalogue.versions.cancelled_between(oldest, now)
        if not newest or newest[-1].ended_at <= oldest:
            return newest, ""
        older = await stores.catalogue.versions.cancelled_between(oldest, min(before, newest[-1].ended_at))
    # A page that holds one time only brings the cursor no further: then it starts again.
    goes_on = bool(older) and older[-1].ended_at < older[0].ended_at
    return [*newest, *older], older[-1].ended_at.isoformat() if goes_on else ""


async def _version_of_run(versions: Versions, run: dg.DagsterRun) -> Version | None:
    """The version that a run worked on. None if another run works on it now. Raises `TitleUnknown`."""
    if (tagged := run.tags.get(VERSION_TAG)) is not None:
        version = await versions.get(run.tags[_PARTITION_TAG], int(tagged))
        return version if version.run_id in (None, run.run_id) else None
    # A person started it, for the title's newest version at that time. Its stages recorded the run's id.
    version = await versions.newest(run.tags[_PARTITION_TAG])
    return version if version.run_id == run.run_id else None


def _repeated_run(run: dg.DagsterRun, version: Version) -> dg.RunRequest:
    kept = {key: run.tags[key] for key in (PRIORITY_TAG, "dagster/priority", TITLE_TAG) if key in run.tags}
    return dg.RunRequest(
        run_key=f"again:{run.run_id}",
        partition_key=version.movie_id,
        tags={
            **kept,
            UPLOAD_TAG: version.upload_id,
            VERSION_TAG: str(version.version),
            REPEATS_TAG: str(int(run.tags.get(REPEATS_TAG, "0")) + 1),
        },
    )
