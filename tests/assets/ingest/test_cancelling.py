"""A version that is cancelled while its run works on it: its run ends, nothing is kept, viewers keep theirs."""

import asyncio
from pathlib import Path
from typing import cast

import dagster as dg
import pytest
from structlog.testing import capture_logs

from assets.ingest.cancelling import until_cancelled
from marquee.documents.keys import stage_key
from marquee.errors import IngestCancelled
from marquee.ingest.unfinished import remove_cancelled_versions
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Versions
from marquee.stores.catalogue.values import Upload, Version
from marquee.stores.opened import Stores
from tests.assets.ingest.test_chain import keys
from tests.harness.catalogue.steps import publication_of
from tests.harness.chain import in_thread, run_ingest, sentence, upload_film, version_of

BIKES = "fixtures/bikes_640x272_silent.mp4"
FRIDAY = "dev/friday_640x480.mp4"
WAIT_SECONDS = 120


async def stored(stores: Stores, upload: Upload) -> list[str]:
    """All objects of a version."""
    return [
        key
        for objects, prefix in (
            (stores.objects, f"uploads/{upload.upload_id}/"),
            (stores.objects, f"titles/{upload.movie_id}/v{upload.version}/"),
            (stores.published, f"{upload.movie_id}/v{upload.version}/"),
            (stores.published, f"images/{upload.movie_id}/v{upload.version}/"),
        )
        for key in await keys(objects, prefix)
    ]


async def until_in_stage(stores: Stores, upload: Upload, stage: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while (await version_of(stores, upload)).stage != stage:  # noqa: ASYNC110 - the catalogue has no event
            await asyncio.sleep(0.1)


async def run_until_cancelled(
    settings: Settings, instance: dg.DagsterInstance, upload: Upload, *, only: str | None = None
) -> None:
    result = await in_thread(lambda: run_ingest(settings, instance, upload, only=only))
    assert not result.success
    assert "cancelled" in sentence(result), f"the run does not say why it ended: {sentence(result)}"
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["dagster/retry_on_asset_or_op_failure"] == "false", "Dagster would start a cancelled run again"


async def test_a_cancelled_ingest_ends_its_run_and_its_jobs_and_keeps_nothing(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    # No worker takes the chunks: the run waits for them until it is cancelled.
    upload = await upload_film(stores, shared_media / FRIDAY, subtitles=[shared_media / "dev" / "friday_640x480.vtt"])
    running = asyncio.create_task(run_until_cancelled(platform_settings, instance, upload))
    await until_in_stage(stores, upload, "renditions")
    key = (upload.movie_id, upload.version)
    async with asyncio.timeout(WAIT_SECONDS):
        while key not in await stores.job_queue.waiting_versions():  # noqa: ASYNC110 - the queue has no event
            await asyncio.sleep(0.1)
    await stores.catalogue.versions.cancel(*key)
    async with asyncio.timeout(WAIT_SECONDS):
        await running
    assert key not in await stores.job_queue.waiting_versions(), "its chunks are encoded for nobody"
    assert await stored(stores, upload) == []
    version = await version_of(stores, upload)
    assert (version.state, version.reason) == ("cancelled", "Preparing the film was cancelled.")
    assert (await stores.catalogue.titles.get(upload.movie_id)).state == "cancelled"


async def test_a_run_that_begins_after_the_cancellation_ends_at_once(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / BIKES)
    await stores.catalogue.versions.cancel(upload.movie_id, upload.version)
    await run_until_cancelled(platform_settings, instance, upload)
    assert await stored(stores, upload) == []
    assert (await version_of(stores, upload)).stage == "source", "a stage worked on a cancelled version"


async def test_a_newer_film_ends_the_older_work_once_it_is_accepted_and_not_before(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path, tmp_path: Path
) -> None:
    older = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, older, until="plan"))).success
    no_film = tmp_path / "broken.mp4"
    no_film.write_bytes(b"no film")
    broken = await upload_film(stores, no_film, movie_id=older.movie_id)
    await in_thread(lambda: run_ingest(platform_settings, instance, broken, until="source"))
    assert (await version_of(stores, broken)).state == "refused"
    assert (await version_of(stores, older)).state == "ingesting", (
        "a file that is no film ended the older version's work"
    )
    newer = await upload_film(stores, shared_media / FRIDAY, movie_id=older.movie_id)
    result = await in_thread(lambda: run_ingest(platform_settings, instance, newer, until="source"))
    assert result.success, sentence(result)
    version = await version_of(stores, older)
    assert (version.state, version.reason) == (
        "cancelled",
        "Version 3, a newer film, was accepted for this title. So this one was cancelled.",
    )
    assert (await version_of(stores, newer)).state == "ingesting"
    await run_until_cancelled(platform_settings, instance, older, only="renditions")
    assert await stored(stores, older) == [older.key], "only the master is kept until the newer film plays"
    assert await remove_cancelled_versions(stores, older_than_seconds=0) == 0
    assert await stores.objects.head(stage_key(newer.movie_id, newer.version, "source")) is not None


async def test_housekeeping_removes_what_a_killed_run_left(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="plan"))).success
    other = await upload_film(stores, shared_media / BIKES)
    for key in (f"{upload.movie_id}/v1/master.m3u8", f"images/{upload.movie_id}/v1/poster.jpg"):
        await stores.published.put(key, b"x", content_type="text/plain")
    await stores.catalogue.versions.cancel(upload.movie_id, upload.version)
    assert await remove_cancelled_versions(stores, older_than_seconds=3600) == 0
    assert await remove_cancelled_versions(stores, older_than_seconds=0) >= 5
    assert await stored(stores, upload) == []
    assert await stored(stores, other) != [], "another title's film was taken"
    assert await remove_cancelled_versions(stores, older_than_seconds=0) == 0


async def test_an_overtaken_film_is_made_again_if_the_newer_one_fails_and_goes_once_a_newer_one_plays(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    versions = stores.catalogue.versions
    older = await upload_film(stores, shared_media / BIKES)
    newer = await upload_film(stores, shared_media / BIKES, movie_id=older.movie_id)
    await versions.cancel_older(newer.movie_id, newer.version)
    await run_until_cancelled(platform_settings, instance, older, only="source")
    assert await remove_cancelled_versions(stores, older_than_seconds=0) == 0
    await versions.fail(newer.movie_id, newer.version, "The disk is full.")
    released = await version_of(stores, older)
    assert released.state == "failed"
    assert released.reason is not None
    assert "start its run again" in released.reason
    result = await in_thread(lambda: run_ingest(platform_settings, instance, older, until="source"))
    assert result.success, sentence(result)
    assert (await version_of(stores, older)).state == "ingesting"
    last = await upload_film(stores, shared_media / BIKES, movie_id=older.movie_id)
    await versions.cancel_older(last.movie_id, last.version)
    assert await remove_cancelled_versions(stores, older_than_seconds=0) > 0
    assert await stored(stores, older) == [older.key]
    await versions.publish(publication_of(last.movie_id, last.version))
    assert await remove_cancelled_versions(stores, older_than_seconds=0) == 1, "the master is kept for nobody"
    assert await stored(stores, older) == []


class FaultyVersions:
    """Its first answers are errors that no store raises."""

    def __init__(self, versions: Versions) -> None:
        self.versions, self.faults = versions, 0

    async def get(self, movie_id: str, version: int) -> Version:
        if self.faults < 2:
            self.faults += 1
            raise ValueError("a row that cannot be read")
        return await self.versions.get(movie_id, version)


async def test_an_error_of_the_watch_is_logged_and_the_watch_goes_on(stores: Stores, shared_media: Path) -> None:
    upload = await upload_film(stores, shared_media / BIKES)
    await stores.catalogue.versions.cancel(upload.movie_id, upload.version)
    faulty = FaultyVersions(stores.catalogue.versions)
    with capture_logs() as logged, pytest.raises(IngestCancelled):
        async with until_cancelled(cast("Versions", faulty), upload):
            await asyncio.sleep(WAIT_SECONDS)
    assert [one["event"] for one in logged] == ["looking for a cancellation failed"] * 2
