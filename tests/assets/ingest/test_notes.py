"""A stage's notes reach the version and Dagster, and a chosen code refuses the film at the stage that knows."""

from pathlib import Path
from typing import Any, get_args, get_origin

import dagster as dg
import msgspec
import pytest

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import titles
from assets.ingest.stage import Stage, open_stage
from marquee.documents import DOCUMENT_OF_STAGE, STAGES, StageDocument, keys
from marquee.notes import NoteStream, note
from marquee.settings import Settings
from marquee.stores.catalogue.values import TitleDetails, Upload
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, run_ingest, stage_document, upload_film, version_of
from tests.harness.uploads import mark_completed, new_upload
from tests.media.source.test_source_notes import with_unknown_sound

TOLD = note("silent", NoteStream(kind="audio", index=1), why="the only sound is AC-4, which cannot be decoded")


def any_value(kind: Any) -> Any:
    """A value of a document's type, the smallest that there is."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{one.name: any_value(one.type) for one in msgspec.structs.fields(kind) if one.required})
    if get_origin(kind) is list:
        return []
    return get_args(kind)[0] if get_args(kind) else kind("1") if kind is not bool else False


def noted_document(stage: str) -> StageDocument:
    document: StageDocument = msgspec.structs.replace(any_value(DOCUMENT_OF_STAGE[stage]), notes=[TOLD])
    return document


def one_stage(name: str, settings: Settings) -> dg.AssetsDefinition:
    """An asset that only stores a document with a note, as the stage `name` does at its end."""

    @stage_asset(name=name, partitions_def=titles)
    async def stage_with_a_note(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        async with open_stage(context, settings, name) as stage:
            await stage.save_document(noted_document(name))
            return dg.MaterializeResult(metadata={"cost": 1.0})

    return stage_with_a_note


async def ingesting(stores: Stores) -> Upload:
    uploads = stores.catalogue.uploads
    return await mark_completed(uploads, await uploads.open(new_upload(), TitleDetails("Noted")))


async def materialized(
    settings: Settings, instance: dg.DagsterInstance, upload: Upload, stages: tuple[str, ...]
) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("titles", [upload.movie_id])
    made = [one_stage(name, settings) for name in stages]
    return await in_thread(
        lambda: dg.materialize(made, partition_key=upload.movie_id, instance=instance, raise_on_error=False)
    )


async def test_the_notes_of_every_stage_are_on_the_version_and_in_dagster(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    upload = await ingesting(stores)
    result = await materialized(platform_settings, instance, upload, STAGES)
    assert result.success
    assert (await version_of(stores, upload)).notes == [TOLD] * len(STAGES), "a stage's notes are lost"
    for event in result.get_asset_materialization_events():
        metadata = event.step_materialization_data.materialization.metadata
        stage = event.asset_key.to_user_string() if event.asset_key else ""
        assert metadata["severity"].value == "serious", f"{stage} does not say how severe its notes are"
        assert TOLD.sentence in str(metadata["notes"].value)
        assert metadata["cost"].value == 1.0, "the notes took the place of the stage's own metadata"


@pytest.mark.parametrize("stage", ["source", "streams", "title"])
async def test_a_chosen_code_refuses_the_film_at_the_stage_that_knows(
    stage: str, platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    upload = await ingesting(stores)
    strict = platform_settings.model_copy(update={"refuse_notes": "no-sound,silent"})
    result = await materialized(strict, instance, upload, (stage,))
    assert not result.get_asset_materialization_events(), "the refused film's stage is done"
    version = await version_of(stores, upload)
    assert version.state == "refused"
    assert version.reason == f"{TOLD.sentence} Export its sound as AAC."
    assert version.notes == [TOLD]
    left = [one.key async for one in stores.objects.list(keys.documents_prefix(upload.movie_id, upload.version))]
    assert left == [], "the refused film left documents"


async def test_the_title_stage_stores_what_an_earlier_release_wrote(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance
) -> None:
    """The platform was upgraded after the first stages of this film."""
    upload = await ingesting(stores)
    for stage, body in {
        "source": b'{"warnings": ["The file\'s clock jumps. The jumps were removed."]}',
        "subtitles": b'{"left_out": ["A subtitle track is left out."]}',
        "prewarm": msgspec.json.encode({"notes": [TOLD]}),
    }.items():
        await stores.objects.put(
            keys.stage_key(upload.movie_id, upload.version, stage), body, content_type="application/json"
        )
    collected: dict[str, list[str]] = {}

    @dg.asset(name="title", partitions_def=titles)
    async def title_stage(context: dg.AssetExecutionContext) -> None:
        async with open_stage(context, platform_settings, "title") as stage:
            collected.update(await codes_of(stage))

    instance.add_dynamic_partitions("titles", [upload.movie_id])
    await in_thread(lambda: dg.materialize([title_stage], partition_key=upload.movie_id, instance=instance))
    assert collected == {"source": ["earlier-release"], "subtitles": ["earlier-release"], "prewarm": ["silent"]}


async def codes_of(stage: Stage) -> dict[str, list[str]]:
    return {name: [one.code for one in notes] for name, notes in (await stage.collect_notes()).items()}


async def test_a_film_with_unknown_sound_alone_is_playable_but_silent_or_refused_in_source(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    film = await with_unknown_sound(tmp_path / "silent.mp4", b"ac-4", 0)
    accepted, refused = await upload_film(stores, film), await upload_film(stores, film)
    result = await in_thread(lambda: run_ingest(platform_settings, instance, accepted, only="source"))
    assert result.success
    told = (await version_of(stores, accepted)).notes
    assert TOLD.sentence in [one.sentence for one in told]
    assert (await stage_document(stores, accepted, "source", DOCUMENT_OF_STAGE["source"])).notes == told
    strict = platform_settings.model_copy(update={"refuse_notes": "silent"})
    await in_thread(lambda: run_ingest(strict, instance, refused, only="source"))
    version = await version_of(stores, refused)
    assert (version.state, version.stage) == ("refused", "source")
    assert version.reason == f"{TOLD.sentence} Export its sound as AAC."
