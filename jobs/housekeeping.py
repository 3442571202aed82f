"""`python -m jobs.housekeeping`: what was left half-way is finished or removed, and what nobody needs any more goes.

One process with a loop for each task; `loops` is the table of them. The rules are below, in `marquee.ingest`. Every round may
be repeated and bears a kill. A loop's name is in each line that it logs. An outage is waited through, by the loop that met it
alone; any other failure ends the process, which the supervisor starts again. Figures: port `housekeeping`, `/metrics`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from prometheus_client import start_http_server

from marquee.ingest.chunk_sweep import drop_settled_waiters, sweep_chunks, sweep_strays
from marquee.ingest.removal import remove_deleted_titles, remove_failed_versions
from marquee.ingest.retention import trim_topics, trim_viewing_events
from marquee.ingest.unattended_uploads import abandon_uploads, reconcile_uploads, republish_uploads
from marquee.ingest.unfinished import remove_cancelled_versions
from marquee.ingest.watching_erasure import erase_watching
from marquee.logs import get_logger, log_context
from marquee.platform.late_figures import LateWatch
from marquee.platform.programs.gateway_tokens import drop_ended_keys
from marquee.processes.repeating import every
from marquee.processes.runner import Process, run_process
from marquee.settings import Settings
from marquee.stores.opened import Stores

MINUTE_SECONDS: Final = 60.0
HOUR_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 24 * HOUR_SECONDS
RECONCILE_AFTER_SECONDS: Final = 20.0
"""A completion under way touched its upload when it began. To finish one that is still at work does no harm."""
REPUBLISH_AFTER_SECONDS: Final = HOUR_SECONDS
REMOVE_AFTER_SECONDS: Final = 300.0
"""A stage under way sees within a second that its title is gone."""

log = get_logger()


@dataclass(frozen=True)
class Loop:
    """One task of housekeeping, done at the start and then `seconds` after each end."""

    name: str
    seconds: float
    does: str
    round: Callable[[], Awaitable[object]]


def loops(settings: Settings, stores: Stores) -> tuple[Loop, ...]:
    """Every loop: its name, how long it waits between two rounds, what a round does, and how."""
    uploads, titles, versions = stores.catalogue.uploads, stores.catalogue.titles, stores.catalogue.versions
    objects, published, job_queue = stores.objects, stores.published, stores.job_queue
    abandon_seconds, keep_seconds = settings.upload_abandoned_seconds, settings.chunk_keep_seconds
    return (
        Loop(
            "reconcile-uploads",
            5.0,
            "finishes uploads whose completion was cut short",
            partial(reconcile_uploads, uploads, objects, older_than_seconds=RECONCILE_AFTER_SECONDS),
        ),
        Loop(
            "abandon-uploads",
            min(MINUTE_SECONDS, abandon_seconds),
            "ends uploads that no client continues, and removes their parts",
            partial(abandon_uploads, uploads, objects, older_than_seconds=abandon_seconds),
        ),
        Loop(
            "republish-uploads",
            10 * MINUTE_SECONDS,
            "publishes again completed uploads that no run has taken up",
            partial(republish_uploads, uploads, older_than_seconds=REPUBLISH_AFTER_SECONDS),
        ),
        Loop(
            "remove-deleted-titles",
            MINUTE_SECONDS,
            "removes what is still stored of deleted titles",
            partial(
                remove_deleted_titles, titles, uploads, objects, published, older_than_seconds=REMOVE_AFTER_SECONDS
            ),
        ),
        Loop(
            "remove-failed-versions",
            10 * MINUTE_SECONDS,
            "removes what is still published of versions that failed",
            partial(
                remove_failed_versions,
                versions,
                objects,
                published,
                older_than_seconds=REMOVE_AFTER_SECONDS,
                newer_than_seconds=DAY_SECONDS,
            ),
        ),
        Loop(
            "remove-cancelled-versions",
            10 * MINUTE_SECONDS,
            "removes what is still stored of versions that were cancelled",
            partial(remove_cancelled_versions, stores, older_than_seconds=REMOVE_AFTER_SECONDS),
        ),
        Loop(
            "drop-settled-waiters",
            min(MINUTE_SECONDS, keep_seconds),
            "lets go of chunks for versions that need them no more",
            partial(drop_settled_waiters, job_queue, versions),
        ),
        Loop(
            "sweep-chunks",
            min(MINUTE_SECONDS, keep_seconds),
            "removes chunks that no version has waited for since MARQUEE_CHUNK_KEEP_SECONDS",
            partial(sweep_chunks, job_queue, objects, older_than_seconds=keep_seconds),
        ),
        Loop(
            "sweep-stray-chunks",
            DAY_SECONDS,
            "removes what attempts stored that did not become their job's result",
            partial(sweep_strays, job_queue, objects),
        ),
        Loop(
            "forget-sessions",
            HOUR_SECONDS,
            "removes sessions that have expired, and notes of ended ones whose access tokens have expired too",
            partial(stores.sessions.forget_ended, older_than_seconds=2 * settings.access_token_seconds + HOUR_SECONDS),
        ),
        Loop(
            "erase-watching",
            10.0,
            "removes history and positions of deleted profiles, and again once their access tokens have expired",
            partial(
                erase_watching,
                stores.lake,
                stores.history,
                stores.resume_positions,
                token_seconds=settings.access_token_seconds,
            ),
        ),
        Loop(
            "drop-ended-keys",
            15.0,
            "has the gateway on this host refuse tokens of keys that have ended",
            partial(asyncio.to_thread, drop_ended_keys, settings),
        ),
        Loop(
            "trim-topics",
            HOUR_SECONDS,
            "drops records that are older than their topic keeps them",
            partial(trim_topics, stores.event_log),
        ),
        Loop(
            "trim-viewing-events",
            MINUTE_SECONDS,
            "drops viewing events that are in the lake, old ones where no event sink runs, and those beyond a number",
            partial(
                trim_viewing_events,
                stores.event_log,
                stores.lake,
                settings.state,
                keep_unwritten_seconds=settings.viewing_events_keep_seconds,
                keep_records=settings.viewing_events_keep_records,
            ),
        ),
        Loop(
            "watch-analytics",
            MINUTE_SECONDS,
            "says which events, batches and marts are late, in the log and as figures",
            LateWatch(settings).round,
        ),
    )


async def run(process: Process) -> None:
    table = loops(process.settings, process.stores)
    start_http_server(process.settings.port("housekeeping"), process.settings.inner_host)
    await process.ready(process.stores.catalogue)
    async with asyncio.TaskGroup() as tasks:
        for loop in table:
            tasks.create_task(_repeat(loop, process.stop))


async def _repeat(loop: Loop, stop: asyncio.Event) -> None:
    with log_context(loop=loop.name):
        log.info("loop started", seconds=loop.seconds, does=loop.does)
        await every(loop.seconds, stop, loop.round)


if __name__ == "__main__":
    raise SystemExit(run_process("housekeeping", run))
