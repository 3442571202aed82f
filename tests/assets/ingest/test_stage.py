"""What a stage opens, and what its failure is called: the reason itself, whatever it was wrapped in."""

import asyncio

import dagster as dg
import pytest

from assets.ingest.partitions import titles
from assets.ingest.stage import open_stage, raise_first_of_group
from marquee.documents import PrewarmDocument
from marquee.errors import ObjectMissing
from marquee.settings import Settings
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, stage_document, version_of
from tests.harness.uploads import mark_completed, new_upload

NOWHERE = "gopher://nowhere"


async def test_what_fails_side_by_side_fails_with_its_own_words() -> None:
    async def missing() -> None:
        raise ObjectMissing("The chunk is not there.")

    async def side_by_side() -> None:
        with raise_first_of_group():
            async with asyncio.TaskGroup() as outer:
                outer.create_task(asyncio.sleep(60))
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(missing())

    with pytest.raises(ObjectMissing, match="The chunk is not there"):
        await side_by_side()


async def test_a_stage_opens_the_stores_that_it_names_and_no_other(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    """All others could not even be opened."""
    uploads = stores.catalogue.uploads
    upload = await mark_completed(uploads, await uploads.open(new_upload(), TitleDetails("Two stores")))
    others = (
        "resume_positions_url",
        "event_log_url",
        "row_cache_url",
        "coordination_url",
        "search_url",
        "published_url",
    )
    two_stores = platform_settings.model_copy(update=dict.fromkeys(others, NOWHERE))

    @dg.asset(name="prewarm", partitions_def=titles)
    async def stage_of_two_stores(context: dg.AssetExecutionContext) -> None:
        async with open_stage(context, two_stores, "prewarm") as stage:
            document = PrewarmDocument(movie_id=stage.movie_id, version=stage.version, hot=False, edges=[])
            await stage.save_document(document)

    instance.add_dynamic_partitions("titles", [upload.movie_id])
    result = await in_thread(
        lambda: dg.materialize([stage_of_two_stores], partition_key=upload.movie_id, instance=instance)
    )
    assert result.success
    assert (await stage_document(stores, upload, "prewarm", PrewarmDocument)).version == upload.version
    assert (await version_of(stores, upload)).stage == "prewarm", "the stage's progress is not on the title's page"
