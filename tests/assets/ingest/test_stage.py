"""What a stage opens, and what its failure is called: the reason itself, whatever it was wrapped in."""

import asyncio
import inspect
import re
from pathlib import Path

import dagster as dg
import pytest

import assets.ingest
import orchestration
from assets.ingest.partitions import titles
from assets.ingest.source import open_stores_of_chain, source
from assets.ingest.stage import open_stage, raise_first_of_group
from marquee.code_locations import CODE_LOCATIONS
from marquee.documents import ImagesDocument, PrewarmDocument
from marquee.errors import ObjectMissing, SettingsInvalid, StageMissing
from marquee.settings import Settings
from marquee.settings.groups import Engines
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.opened import Stores, open_stores
from tests.harness.chain import in_thread, stage_document, version_of
from tests.harness.servers import make_test_settings
from tests.harness.uploads import mark_completed, new_upload

NOWHERE = "gopher://nowhere"
CHAIN = Path(assets.ingest.__file__).parent
SENSORS = Path(orchestration.__file__).parent


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


@pytest.mark.parametrize("setting", ["published_url", "event_log_url", "row_cache_url", "search_url"])
async def test_a_wrong_url_of_a_later_stage_stops_the_first_one(
    setting: str, platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    """There is no master: a stage that got as far as fetching it would miss the object."""
    uploads = stores.catalogue.uploads
    upload = await mark_completed(uploads, await uploads.open(new_upload(), TitleDetails("A wrong URL")))
    wrong = platform_settings.model_copy(update={setting: NOWHERE})
    instance.add_dynamic_partitions("titles", [upload.movie_id])
    result = await in_thread(
        lambda: dg.materialize(
            [source],
            partition_key=upload.movie_id,
            instance=instance,
            resources={"settings": wrong},
            raise_on_error=False,
        )
    )
    assert not result.success
    version = await version_of(stores, upload)
    assert version.state == "failed"
    assert f"MARQUEE_{setting.upper()} has the scheme 'gopher'" in (version.reason or "")


def named_stores(text: str) -> set[str]:
    """The stores that Python code names as `stores.NAME`, its imports left out."""
    code = re.sub(r"^(?:from|import) .*$", "", text, flags=re.M)
    return set(re.findall(r"\bstores\.(\w+)(?=[.,)]| *$)(?!\.(?:values|keys|contract|opened)\b)", code, flags=re.M))


def test_the_first_stage_opens_every_store_that_the_chain_names() -> None:
    opened = named_stores(inspect.getsource(open_stores_of_chain))
    used = {name for path in CHAIN.glob("*.py") for name in named_stores(path.read_text())}
    assert len(used) > 3, "the stages name their stores in another way now: read them here in that way"
    assert used == opened, f"`open_stores_of_chain` leaves out {sorted(used - opened)}"
    of_sensors = {name for path in SENSORS.glob("*.py") for name in named_stores(path.read_text())}
    assert {"catalogue", "event_log"} <= of_sensors, "the sensors name their stores in another way now"
    assert of_sensors <= opened, f"sensors name {sorted(of_sensors - opened)}, which no stage names"


async def test_the_code_server_is_given_the_url_of_each_store_of_the_chain_and_of_no_other(tmp_path: Path) -> None:
    async def stops_the_chain(setting: str) -> bool:
        """Whether the chain's stores cannot be opened if this URL is wrong."""
        async with open_stores(settings.model_copy(update={setting: NOWHERE})) as stores:
            try:
                open_stores_of_chain(stores)
            except SettingsInvalid:
                return True
        return False

    settings = make_test_settings(tmp_path)
    (ingest,) = [location for location in CODE_LOCATIONS if location.name == "ingest"]
    urls = [name for name in Engines.model_fields if name.endswith("_url")]
    opened = {setting for setting in urls if await stops_the_chain(setting)}
    assert opened == set(ingest.needed_settings) & set(urls)


async def test_a_missing_document_is_named_itself_and_not_the_manifest_of_an_earlier_release(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    uploads = stores.catalogue.uploads
    upload = await mark_completed(uploads, await uploads.open(new_upload(), TitleDetails("No images yet")))
    said: list[str] = []

    @dg.asset(name="manifest", partitions_def=titles)
    async def stage_without_images(context: dg.AssetExecutionContext) -> None:
        async with open_stage(context, platform_settings, "manifest") as stage:
            with pytest.raises(StageMissing) as missing:
                await stage.read("images", ImagesDocument)
            said.append(missing.value.detail)

    instance.add_dynamic_partitions("titles", [upload.movie_id])
    await in_thread(lambda: dg.materialize([stage_without_images], partition_key=upload.movie_id, instance=instance))
    assert "`images`" in said[0], f"the missing document is said to be another one: {said[0]}"
