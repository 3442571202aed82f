"""`python -m jobs.outbox`: what the catalogue promised to tell is told, and what was left half-way is finished or removed.

Reads the outbox (every 0.25 s) and publishes each entry to its topic before it is deleted: a kill in between publishes it
again, and its readers know it by its upload. Uploads left `completing` for RECONCILE_AFTER_SECONDS are finished by the rule of
`marquee.ingest.completion`; those left open for `upload_abandoned_seconds` lose their parts and end as abandoned; completed ones
that no run takes up are told again. Titles deleted REMOVE_AFTER_SECONDS ago lose what is still stored of them. Chunks that no
version needs are swept (`marquee.ingest.chunk_sweep`). Topics lose what every group has
acknowledged and is older than RETENTION_MS, and what was buried beside them after DEAD_RETENTION_MS.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.errors import (
    MarqueeError,
    ObjectMissing,
    PartsMismatch,
    StoreUnavailable,
    TitleUnknown,
    UploadStateConflict,
)
from marquee.events import TOPIC_GROUPS, TOPIC_STREAMS, TRANSCODING_JOBS
from marquee.ingest.chunk_sweep import drop_settled_waiters, sweep_chunks, sweep_strays
from marquee.ingest.completion import finish_upload, message_of
from marquee.ingest.ending import end_upload
from marquee.ingest.removal import remove_title
from marquee.logs import configure_logging, get_logger
from marquee.processes.running import every, stop_on_signals, until_answered
from marquee.settings import Settings, load_settings
from marquee.stores.catalogue.contract import Outbox, Titles, Uploads
from marquee.stores.event_log.contract import EventLog
from marquee.stores.event_log.records import DEAD_SUFFIX
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_stores

PUBLISH_SECONDS: Final = 0.25
RECONCILE_SECONDS: Final = 5.0
RECONCILE_AFTER_SECONDS: Final = 20.0
"""A completion that is under way touched the upload when it began. Finishing one that is still at work is harmless."""
ABANDON_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 600.0
AGAIN_AFTER_SECONDS: Final = 3600.0
"""A topic forgets: after RETENTION_MS what Dagster, away for so long, has not read. What no run has taken up is told again; one
that waits in Dagster's queue is known there by its upload, so that nothing is done twice."""
REMOVE_SECONDS: Final = 60.0
REMOVE_AFTER_SECONDS: Final = 300.0
"""A stage under way sees within a second that its title is gone."""
SWEEP_SECONDS: Final = 60.0
STRAYS_SECONDS: Final = 24 * 3600.0
TRIM_SECONDS: Final = 3600.0
RETENTION_MS: Final = 7 * 24 * 3600 * 1000
DEAD_RETENTION_MS: Final = 30 * 24 * 3600 * 1000
"""Nobody consumes what was buried: so long a person has to look at it."""

log = get_logger()


async def publish_outbox(outbox: Outbox, event_log: EventLog) -> int:
    """Publish what waits, oldest first; returns how many entries went out."""
    published = 0
    while entries := await outbox.oldest(limit=100):
        for entry in entries:
            await event_log.publish(entry.topic, entry.key, entry.value)
            await outbox.mark_published([entry.entry_id])
        published += len(entries)
    if published:
        log.info("outbox published", entries=published)
    return published


async def reconcile_uploads(uploads: Uploads, objects: Objects, *, older_than_seconds: float) -> int:
    """Finish uploads whose completion was cut short; returns how many were finished."""
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    finished = 0
    for upload in await uploads.untouched_since(moment, state="completing"):
        try:
            await finish_upload(uploads, objects, upload)
            finished += 1
            log.info("upload finished for its client", upload_id=upload.upload_id)
        except (ObjectMissing, PartsMismatch, TitleUnknown, UploadStateConflict) as error:
            log.warning("upload not finished", upload_id=upload.upload_id, reason=error.detail)
    return finished


async def abandon_uploads(uploads: Uploads, objects: Objects, *, older_than_seconds: float) -> int:
    """End uploads that nobody continues and remove what they stored; returns how many were ended."""
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    ended = 0
    for upload in await uploads.untouched_since(moment, state="open"):
        try:
            await end_upload(uploads, objects, upload.upload_id, "abandoned")
        except UploadStateConflict as error:
            log.warning("upload not abandoned", upload_id=upload.upload_id, reason=error.detail)
            continue
        ended += 1
        log.info("upload abandoned", upload_id=upload.upload_id, file_name=upload.file_name)
    return ended


async def remove_deleted(
    titles: Titles, uploads: Uploads, objects: Objects, published: Objects, *, older_than_seconds: float
) -> int:
    """Remove what is still stored of deleted titles, as a chain under way or a killed API left it; returns how many titles."""
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    looked_after = 0
    while movie_ids := await titles.deleted_before(moment):
        for movie_id in movie_ids:
            if removed := await remove_title(uploads, objects, published, movie_id):
                log.info("objects of a deleted title removed", movie_id=movie_id, objects=removed)
            await titles.mark_removed(movie_id)
        looked_after += len(movie_ids)
    return looked_after


async def republish_uploads(uploads: Uploads, *, older_than_seconds: float) -> int:
    """Put completed uploads that no run has taken up into the outbox once more; returns how many."""
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    told = 0
    for upload in await uploads.without_run(untouched_since=moment):
        if await uploads.republish(upload.upload_id, topic=TRANSCODING_JOBS, value=message_of(upload)):
            told += 1
            log.warning("no run took this upload up: told again", upload_id=upload.upload_id)
    return told


async def trim_topics(event_log: EventLog) -> None:
    """Retention of every topic, and of what the groups that consume one bury beside it."""
    ages = dict.fromkeys(TOPIC_STREAMS, RETENTION_MS) | {
        f"{topic}{DEAD_SUFFIX}": DEAD_RETENTION_MS for topic in TOPIC_GROUPS
    }
    for topic, age_ms in ages.items():
        dropped = await event_log.trim(topic, older_than_ms=age_ms, needed_by=TOPIC_GROUPS.get(topic, ()))
        if dropped:
            log.info("topic trimmed", topic=topic, records=dropped)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Until `stop` is set."""
    async with open_stores(settings) as stores:
        catalogue, event_log, queue = stores.catalogue, stores.event_log, stores.job_queue
        objects, published = stores.objects, stores.published

        async def reconcile() -> None:
            await reconcile_uploads(catalogue.uploads, objects, older_than_seconds=RECONCILE_AFTER_SECONDS)

        async def abandon() -> None:
            await abandon_uploads(catalogue.uploads, objects, older_than_seconds=settings.upload_abandoned_seconds)

        async def again() -> None:
            await republish_uploads(catalogue.uploads, older_than_seconds=AGAIN_AFTER_SECONDS)

        async def remove() -> None:
            await remove_deleted(
                catalogue.titles, catalogue.uploads, objects, published, older_than_seconds=REMOVE_AFTER_SECONDS
            )

        async def sweep() -> None:
            await drop_settled_waiters(queue, catalogue.versions)
            await sweep_chunks(queue, objects, older_than_seconds=settings.chunk_keep_seconds)

        with contextlib.suppress(StoreUnavailable):  # told to stop before the catalogue was there
            await until_answered(stop, catalogue.ping)
        log.info("outbox ready")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(every(PUBLISH_SECONDS, stop, lambda: publish_outbox(catalogue.outbox, event_log)))
            tasks.create_task(every(RECONCILE_SECONDS, stop, reconcile))
            tasks.create_task(every(min(ABANDON_SECONDS, settings.upload_abandoned_seconds), stop, abandon))
            tasks.create_task(every(AGAIN_SECONDS, stop, again))
            tasks.create_task(every(REMOVE_SECONDS, stop, remove))
            tasks.create_task(every(min(SWEEP_SECONDS, settings.chunk_keep_seconds), stop, sweep))
            tasks.create_task(every(STRAYS_SECONDS, stop, lambda: sweep_strays(queue, objects)))
            tasks.create_task(every(TRIM_SECONDS, stop, lambda: trim_topics(event_log)))


async def main() -> None:
    configure_logging("outbox")
    settings = load_settings()
    try:
        await run(settings, stop_on_signals())
    except* MarqueeError as errors:
        log.error("outbox failed", reasons=[str(error) for error in errors.exceptions])
        raise
    log.info("outbox stopped")


if __name__ == "__main__":
    asyncio.run(main())
