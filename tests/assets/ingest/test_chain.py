"""A film goes through the whole chain on real engines; what a refusal, a poison chunk, a duplicate and a deletion leave."""

import logging
from pathlib import Path

import dagster as dg
import m3u8
import msgspec

from assets.ingest.outcomes import OUTCOME_TAG, TITLE_TAG
from marquee.documents import (
    STAGES,
    ImagesDocument,
    ManifestDocument,
    PlanDocument,
    PrewarmDocument,
    QualityDocument,
    RenditionsDocument,
    SourceDocument,
    StreamsDocument,
    SubtitlesDocument,
    TitleIndexed,
)
from marquee.documents.keys import THUMBNAILS_FOLDER, stage_key
from marquee.ingest.chunk_sweep import drop_settled_waiters, sweep_chunks
from marquee.media.encode.plan import chunk_jobs
from marquee.settings import Settings
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import Stores
from tests.harness.chain import (
    in_thread,
    materialized,
    run_ingest,
    searchable,
    sentence,
    stage_document,
    upload_film,
    version_of,
)

BIKES = "fixtures/bikes_640x272_silent.mp4"
FRIDAY = "dev/friday_640x480.mp4"
CHECKS = 3


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (made,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in made.metadata.items()}


async def keys(objects: Objects, prefix: str) -> list[str]:
    return [info.key async for info in objects.list(prefix)]


async def test_a_film_becomes_playable_and_searchable(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / FRIDAY, subtitles=[shared_media / "dev" / "friday_640x480.vtt"])
    async with searchable(platform_settings):
        result = await in_thread(lambda: run_ingest(platform_settings, instance, upload))
    assert result.success, sentence(result)
    assert materialized(result) == set(STAGES), "every stage is an asset of the run"

    title = await stores.catalogue.titles.get(upload.movie_id)
    version = await version_of(stores, upload)
    assert (title.state, title.active_version, version.state) == ("playable", 1, "playable")
    assert version.percent == 100.0, "the title's per cent ends at the whole"

    manifest = await stage_document(stores, upload, "manifest", ManifestDocument)
    stored = set(await keys(stores.published, f"{upload.movie_id}/")) | set(
        await keys(stores.published, f"images/{upload.movie_id}/")
    )
    assert set(manifest.files) == stored, "the manifest's document names every published file and nothing else"
    master = m3u8.loads((await stores.published.get(manifest.hls)).decode())
    assert len(master.playlists) >= 2, "the ladder has several rungs"
    assert all(not one.uri.startswith(("/", "http")) for one in master.playlists), "only relative URIs"
    assert any(media.type == "SUBTITLES" for media in master.media), "the sidecar is offered as subtitles"
    scores = (await stage_document(stores, upload, "quality", QualityDocument)).scores
    assert len(scores) == len(master.playlists), "a rung of the ladder has no score"
    assert scores[0].vmaf_mean > platform_settings.quality_floor_vmaf
    pictures = await stage_document(stores, upload, "images", ImagesDocument)
    assert set(pictures.files) == set(await keys(stores.published, f"images/{upload.movie_id}/"))
    assert title.backdrop == pictures.backdrop != [], "the title has the wide picture that was cut"
    assert {one.key for one in pictures.backdrop} <= stored
    assert title.tracks is not None
    assert title.tracks.picture is not None
    assert title.tracks.picture.height == max(one.stream_info.resolution[1] for one in master.playlists)
    assert len(title.tracks.sound) == len({media.name for media in master.media if media.type == "AUDIO"})
    assert [one.label for one in title.tracks.text] == [one.name for one in master.media if one.type == "SUBTITLES"]

    indexed = await stage_document(stores, upload, "search_document", TitleIndexed)
    assert indexed.lag_seconds >= 0
    assert await stores.search.revision(upload.movie_id) == indexed.revision
    prewarmed = await stage_document(stores, upload, "prewarm", PrewarmDocument)
    assert prewarmed.edges == [], "a title of the long tail is not pushed to any edge"
    assert (await stage_document(stores, upload, "subtitles", SubtitlesDocument)).tracks[0].cues > 0

    shown = metadata(result, "quality")
    assert str(shown["ladder"]).startswith("!["), "the ladder is drawn on the asset's page"
    assert "VMAF" in str(shown["quality"])
    assert master.playlists[0].uri in str(metadata(result, "manifest")["variants"])
    assert str(metadata(result, "images")["poster"]).endswith(pictures.poster)
    assert pictures.backdrop[-1].key in str(metadata(result, "images")["backdrop"])
    assert str(metadata(result, "title")["web_page"]).endswith(upload.movie_id)
    assert not [*(platform_settings.state / "work").iterdir()], "no half-made file is left on this machine"


async def test_a_broken_file_is_refused_with_a_sentence_and_leaves_nothing(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / "broken" / "b_text_renamed.mp4")
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload))
    assert result.success, "a refusal is an outcome"
    assert not materialized(result)
    kinds = [event.event_type_value for event in result.all_events]
    assert kinds.count("STEP_SKIPPED") == len(STAGES) - 1 + CHECKS, "what comes after it is skipped"
    red = [entry for entry in instance.all_logs(result.run_id) if entry.level >= logging.ERROR]
    assert not red, f"the run's page has red lines: {[entry.user_message for entry in red]}"
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.tags[OUTCOME_TAG], run.tags[TITLE_TAG]) == ("refused", "b text renamed")
    version = await version_of(stores, upload)
    assert version.state == "refused"
    assert version.reason, "its owner is told why"
    assert sentence(result) == version.reason, "Dagster shows the same sentence"
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert not await keys(stores.published, upload.movie_id)
    assert not await keys(stores.objects, f"titles/{upload.movie_id}/")
    assert (await stores.catalogue.titles.get(upload.movie_id)).state == "refused"


async def test_a_refusal_takes_nothing_from_viewers_who_have_the_title(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / FRIDAY)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="title"))).success
    served, kept = (
        await keys(stores.published, upload.movie_id),
        await keys(stores.objects, f"titles/{upload.movie_id}/"),
    )
    stricter = platform_settings.model_copy(update={"source_max_seconds": 1.0})
    again = await in_thread(lambda: run_ingest(stricter, instance, upload, only="source"))
    assert "too long" in sentence(again), "the stricter limit did not refuse the film"
    assert (await version_of(stores, upload)).state == "playable"
    assert await keys(stores.published, upload.movie_id) == served, "files of a title that viewers have are gone"
    assert await keys(stores.objects, f"titles/{upload.movie_id}/") == kept


async def test_the_same_content_twice_is_recognised_and_reuses_every_chunk(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    first = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, first, until="renditions"))).success
    second = await upload_film(stores, shared_media / BIKES)
    result = await in_thread(lambda: run_ingest(platform_settings, instance, second, until="title"))
    assert result.success, sentence(result)
    assert (await stage_document(stores, second, "source", SourceDocument)).same_content_as == first.movie_id
    renditions = await stage_document(stores, second, "renditions", RenditionsDocument)
    assert renditions.reused_chunks == len(renditions.chunk_results) > 0, "nothing is encoded twice"
    assert str(metadata(result, "source")["same_content_as"]).endswith(first.movie_id)
    assert first.movie_id in ((await version_of(stores, second)).reason or ""), "its owner is told of the other title"
    assert (await stores.catalogue.titles.get(second.movie_id)).state == "playable", (
        "it is a title of its own all the same"
    )


async def test_a_lost_chunk_is_made_again_and_only_it(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / "derived" / "d_vfr_24_8.mp4")
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="renditions"))).success
    before = await stage_document(stores, upload, "renditions", RenditionsDocument)
    await stores.objects.delete([before.chunk_results[1].parts[0].key])
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="renditions"))).success
    after = await stage_document(stores, upload, "renditions", RenditionsDocument)
    assert after.reused_chunks == len(after.chunk_results) - 1
    assert await stores.objects.head(after.chunk_results[1].parts[0].key) is not None
    made, remade = ([[part.sha256 for part in one.parts] for one in chunks.chunk_results] for chunks in (before, after))
    assert made == remade, "the same job makes the same bytes"


async def test_chunks_go_once_the_title_is_published_and_come_again_when_it_is_made_again(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / FRIDAY)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="title"))).success
    before = await stage_document(stores, upload, "renditions", RenditionsDocument)
    await drop_settled_waiters(stores.job_queue, stores.catalogue.versions)
    await sweep_chunks(stores.job_queue, stores.objects, older_than_seconds=0)
    for part in [part for result in before.chunk_results for part in result.parts]:
        assert await stores.objects.head(part.key) is None, "a published title's chunks are still stored"

    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="streams"))
    assert not result.success
    assert "Run it again from `renditions` on" in sentence(result)
    assert (await version_of(stores, upload)).state == "playable", "viewers keep what they have"
    result = await in_thread(
        lambda: run_ingest(platform_settings, instance, upload, only="renditions", until="streams")
    )
    assert result.success, sentence(result)
    after = await stage_document(stores, upload, "renditions", RenditionsDocument)
    made, remade = ([[part.sha256 for part in one.parts] for one in chunks.chunk_results] for chunks in (before, after))
    assert made == remade, "the same job makes the same bytes"


async def test_a_poison_chunk_fails_the_title_with_the_encoders_own_words(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / "fixtures" / "earth_480x270.avi")
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="plan"))).success
    # An encoder's preset that does not exist: every attempt fails as a broken master's would.
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    poisoned = msgspec.structs.replace(
        plan,
        settings_hash="poison" + upload.movie_id,
        settings=msgspec.structs.replace(plan.settings, preset="no-such-preset"),
    )
    key = f"titles/{upload.movie_id}/v1/plan.json"
    await stores.objects.put(key, msgspec.json.encode(poisoned), content_type="application/json")
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="renditions"))
    assert not result.success
    version = await version_of(stores, upload)
    assert version.state == "failed"
    assert "no-such-preset" in (version.reason or ""), f"ffmpeg's own words reach the title's page: {version.reason}"
    assert sentence(result) == version.reason
    source = await stage_document(stores, upload, "source", SourceDocument)
    (status, *_) = await stores.job_queue.statuses([job.job_id for job in chunk_jobs(poisoned, source)])
    assert (status.state, status.attempts) == ("failed", platform_settings.job_attempts)


async def test_quality_and_images_can_each_be_made_again_alone(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="title"))).success
    manifest = await stage_document(stores, upload, "manifest", ManifestDocument)
    scores = (await stage_document(stores, upload, "quality", QualityDocument)).scores
    await stores.published.delete([manifest.poster])
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="images"))
    assert result.success, sentence(result)
    assert materialized(result) == {"images"}
    assert await stores.published.head(manifest.poster) is not None, "the lost poster was not made again"
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="quality"))
    assert result.success, sentence(result)
    again = (await stage_document(stores, upload, "quality", QualityDocument)).scores
    assert [one.vmaf_mean for one in again] == [one.vmaf_mean for one in scores], "the same streams score otherwise"
    assert (await version_of(stores, upload)).state == "playable"


async def test_a_version_of_the_earlier_chain_goes_on_in_this_one(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    """Its one stage `manifest` had made scores, images and manifests when its run failed; its documents are as it left them."""
    upload = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="manifest"))).success
    made = await stage_document(stores, upload, "manifest", ManifestDocument)
    pictures = await stage_document(stores, upload, "images", ImagesDocument)
    scores = (await stage_document(stores, upload, "quality", QualityDocument)).scores
    # An earlier release named no thumbnails for other people's players.
    made = msgspec.structs.replace(
        made, thumbnails=None, files=[each for each in made.files if f"/{THUMBNAILS_FOLDER}/" not in each]
    )
    earlier = {**msgspec.to_builtins(made), "sprite": pictures.sprite, "quality": msgspec.to_builtins(scores)}
    key = stage_key(upload.movie_id, upload.version, "manifest")
    await stores.objects.put(key, msgspec.json.encode(earlier), content_type="application/json")
    await stores.objects.delete([stage_key(upload.movie_id, upload.version, stage) for stage in ("quality", "images")])

    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="prewarm", until="title"))
    assert result.success, sentence(result)
    assert (await version_of(stores, upload)).state == "playable"
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="manifest"))
    assert result.success, sentence(result)
    assert await stage_document(stores, upload, "manifest", ManifestDocument) == made, (
        "it lists other files than before"
    )


async def test_a_title_deleted_meanwhile_stops_its_chain(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    upload = await upload_film(stores, shared_media / FRIDAY)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="streams"))).success
    await stores.catalogue.titles.delete(upload.movie_id)
    result = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="subtitles", until="title"))
    assert not result.success
    assert "deleted" in sentence(result)
    assert (await stage_document(stores, upload, "streams", StreamsDocument)).video


async def test_a_run_without_tags_works_for_the_newest_version(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, shared_media: Path
) -> None:
    first = await upload_film(stores, shared_media / BIKES)
    newer = await upload_film(stores, shared_media / FRIDAY, movie_id=first.movie_id)
    result = await in_thread(lambda: run_ingest(platform_settings, instance, first, until="source", tagged=False))
    assert result.success, sentence(result)
    assert (await stage_document(stores, newer, "source", SourceDocument)).file_name == "friday_640x480.mp4"
