"""Completed uploads that no run took up are published again, and no others. (What else is unattended: `test_upload_ends`.)"""

from marquee.events import TRANSCODING_JOBS
from marquee.ingest.completion import complete_upload
from marquee.ingest.unattended_uploads import republish_uploads
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects
from tests.harness.uploads import messages, stated


async def test_an_upload_that_no_run_took_up_is_told_again(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    """The topic has forgotten it: Dagster was away for longer than messages are kept."""
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    await catalogue.outbox.mark_published([entry.entry_id for entry in await catalogue.outbox.oldest()])
    assert await republish_uploads(catalogue.uploads, older_than_seconds=3600) == 0, "it may be in Dagster's queue"
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 1
    [message] = await messages(catalogue, upload)
    assert (message.upload_id, message.movie_id, message.version) == (upload.upload_id, upload.movie_id, upload.version)
    assert await republish_uploads(catalogue.uploads, older_than_seconds=3600) == 0, "it was told a moment ago"
    await catalogue.versions.report_progress(
        upload.movie_id, upload.version, stage="source", percent=1.0, run_id="a run"
    )
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "a run has it"


async def test_an_upload_that_ended_is_not_told_again(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "it is not completed"
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    await catalogue.titles.delete(upload.movie_id)
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "its title is gone"
    assert not await catalogue.uploads.republish(upload.upload_id, topic=TRANSCODING_JOBS, value=b"")
