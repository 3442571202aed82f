"""Outbox and housekeeping as processes: each does its own part, names its loops in the log, and ends well when told to."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from jobs.housekeeping import Loop, loops
from marquee.events import TRANSCODING_JOBS, UploadCompleted
from marquee.ingest.completion import complete_upload
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_stores
from tests.harness.uploads import stated

SECONDS = 60.0


@pytest.fixture
def job_settings(empty_database: str, valkey_log_url: str, s3_server: Settings) -> Settings:
    return s3_server.model_copy(
        update={
            "database_url": empty_database,
            "event_log_url": valkey_log_url,
            "objects_url": s3_server.objects,
            "published_url": s3_server.published,
        }
    )


@pytest.fixture
async def event_log(valkey_log_url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(valkey_log_url)
    await store.ensure_topic(TRANSCODING_JOBS, streams=1)
    yield store
    await store.close()


@contextmanager
def running(module: str, settings: Settings, folder: Path, **asked: str) -> Iterator[Path]:
    """`python -m jobs.MODULE`, told to stop at the end: it has to end well. Yields its log."""
    log = folder / f"{module}.log"
    environment = {
        "MARQUEE_STATE": str(folder),
        "MARQUEE_DATABASE_URL": settings.database,
        "MARQUEE_EVENT_LOG_URL": settings.event_log,
        "MARQUEE_OBJECTS_URL": settings.objects,
        "MARQUEE_PUBLISHED_URL": settings.published,
        "MARQUEE_S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "MARQUEE_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "MARQUEE_S3_PUBLISHED_ACCESS_KEY": settings.s3_published_access_key.get_secret_value(),
        "MARQUEE_S3_PUBLISHED_SECRET_KEY": settings.s3_published_secret_key.get_secret_value(),
        **asked,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"jobs.{module}"], env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield log
        process.terminate()
        code = process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert code == 0, f"jobs.{module} ended with {code}:\n{log.read_text()}"


async def test_the_outbox_publishes_a_completed_upload(
    catalogue: Catalogue,
    objects: Objects,
    upload: Upload,
    event_log: EventLog,
    job_settings: Settings,
    tmp_path: Path,
) -> None:
    with running("outbox", job_settings, tmp_path):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
        published: list[str] = []
        cursor = None
        async with asyncio.timeout(SECONDS):
            while upload.upload_id not in published:
                records, cursor = await event_log.read(TRANSCODING_JOBS, cursor)
                published += [msgspec.json.decode(each.value, type=UploadCompleted).upload_id for each in records]
                await asyncio.sleep(0.05)


async def test_housekeeping_ends_an_upload_that_no_client_continues(
    catalogue: Catalogue, upload: Upload, job_settings: Settings, tmp_path: Path
) -> None:
    with running("housekeeping", job_settings, tmp_path, MARQUEE_UPLOAD_ABANDONED_SECONDS="1") as log:
        async with asyncio.timeout(SECONDS):
            while (await catalogue.uploads.get(upload.upload_id)).state == "open":  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.05)
    assert (await catalogue.uploads.get(upload.upload_id)).state == "abandoned"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    loop_of = {line["event"]: line.get("loop") for line in lines}
    assert loop_of["upload abandoned"] == "abandon-uploads", "a loop's name is not in what it logs"
    started = {line["loop"] for line in lines if line["event"] == "loop started"}
    assert started == {loop.name for loop in await table(job_settings)}, "a loop of the table did not run"


async def table(settings: Settings) -> tuple[Loop, ...]:
    async with open_stores(settings) as stores:
        return loops(settings, stores)


async def test_the_table_has_each_loop_once(job_settings: Settings) -> None:
    found = await table(job_settings)
    names = [loop.name for loop in found]
    assert len(set(names)) == len(names), "two loops have one name"
    assert all(loop.seconds > 0 for loop in found)


async def test_loops_come_as_often_as_short_settings_ask(job_settings: Settings) -> None:
    short = job_settings.model_copy(update={"upload_abandoned_seconds": 2, "chunk_keep_seconds": 3.0})
    seconds = {loop.name: loop.seconds for loop in await table(short)}
    assert (seconds["abandon-uploads"], seconds["sweep-chunks"]) == (2, 3.0)
