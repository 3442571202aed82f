"""What the chain does with a top rung below the quality floor: more bits once, then a note; a wrong picture fails."""

from fractions import Fraction
from pathlib import Path

import dagster as dg

from marquee.documents import STAGES, PlanDocument, RenditionsDocument, StreamsDocument
from marquee.media.encode.join import video_timescale
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, materialized, run_ingest, sentence, stage_document, upload_film, version_of
from tests.harness.media.films import made

BIKES = "fixtures/bikes_640x272_silent.mp4"


async def test_a_wrong_picture_fails_its_check_and_is_taken_up_again(
    platform_settings: Settings,
    stores: Stores,
    workers: None,
    instance: dg.DagsterInstance,
    shared_media: Path,
    tmp_path: Path,
) -> None:
    """The stored chunks of the top rung are replaced by their negative."""
    upload = await upload_film(stores, shared_media / BIKES)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="renditions"))).success
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    stored = await stage_document(stores, upload, "renditions", RenditionsDocument)
    for chunk in stored.chunk_results:
        part = chunk.parts[-1]
        assert part.rung == plan.settings.rungs[-1].name
        await _replace_by_negative(stores, part.key, plan, tmp_path)

    strict = platform_settings.model_copy(update={"quality_floor_vmaf": 60.0})
    result = await in_thread(lambda: run_ingest(strict, instance, upload, only="streams", until="title"))
    assert not result.success
    assert {"images", "title"}.isdisjoint(materialized(result)), "the chain went on after its failed check"
    version = await version_of(stores, upload)
    assert (version.state, "VMAF" in (version.reason or "")) == ("failed", True)
    left = [one.key async for one in stores.published.list("") if upload.movie_id in one.key]
    assert left == [], f"a failed title left {left} in the published bucket"

    result = await in_thread(lambda: run_ingest(strict, instance, upload, only="quality"))
    assert "Run it again from `streams` on" in sentence(result), "a person does not learn where to go on"
    result = await in_thread(lambda: run_ingest(strict, instance, upload, only="renditions", until="title"))
    assert result.success, sentence(result)
    assert materialized(result) == set(STAGES[STAGES.index("renditions") : STAGES.index("title") + 1])
    assert (await version_of(stores, upload)).state == "playable"
    assert (await version_of(stores, upload)).reason is None


async def _replace_by_negative(stores: Stores, key: str, plan: PlanDocument, folder: Path) -> None:
    right, wrong, gop = folder / "right.mp4", folder / "wrong.mp4", plan.settings.gop_frames
    right.write_bytes(await stores.objects.get(key))
    await made(
        wrong,
        str(right),
        vf="negate",
        vcodec="libx264",
        preset="ultrafast",
        g=gop,
        keyint_min=gop,
        sc_threshold=0,
        video_track_timescale=video_timescale(Fraction(plan.settings.frame_rate)),
    )
    await stores.objects.put(key, wrong.read_bytes(), content_type="video/mp4")


async def test_a_title_below_the_floor_gets_more_bits_once_and_is_published_with_a_note(
    platform_settings: Settings,
    stores: Stores,
    workers: None,
    instance: dg.DagsterInstance,
    tmp_path: Path,
) -> None:
    """A sharp, noisy film of 180 lines: the platform's own bitrate leaves it below the platform's own floor."""
    film = await made(
        tmp_path / "film.mp4",
        "testsrc2=size=320x180:rate=30:duration=13,noise=alls=80",
        vcodec="libx264",
        crf=14,
        preset="ultrafast",
        pix_fmt="yuv420p",
    )
    upload = await upload_film(stores, film)
    strict = platform_settings.model_copy(update={"quality_floor_vmaf": 90.0})
    result = await in_thread(lambda: run_ingest(strict, instance, upload, until="title"))
    assert result.success, sentence(result)
    version = await version_of(stores, upload)
    codes = [one.code for one in version.notes]
    assert (version.state, codes.count("bitrate-raised"), codes.count("quality-below-floor")) == ("playable", 1, 1)
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    made_again = await stage_document(stores, upload, "renditions", RenditionsDocument)
    (planned, raised_rung) = (plan.settings.rungs[-1], made_again.renditions[-1])
    assert raised_rung.rung.bitrate_bps > 2 * planned.bitrate_bps
    assert raised_rung.average_bitrate_bps > planned.max_bitrate_bps, "the bits were raised on paper only"
    track = (await stage_document(stores, upload, "streams", StreamsDocument)).video[-1]
    assert track.peak_bps >= track.average_bps > planned.max_bitrate_bps, "the manifest states what was planned"

    again = await in_thread(lambda: run_ingest(strict, instance, upload, only="renditions"))
    assert again.success, sentence(again)
    assert (await stage_document(stores, upload, "renditions", RenditionsDocument)).cpu_seconds == 0, "encoded twice"
