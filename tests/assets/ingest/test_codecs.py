"""A title in several codecs through the chain: one is offered beside H.264, an optional one fails and is left out with a note."""

from pathlib import Path

import dagster as dg
import m3u8
import msgspec

from marquee.documents import ManifestDocument, PlanDocument, QualityDocument, RenditionsDocument, StreamsDocument
from marquee.ingest.chunk_sweep import sweep_chunks
from marquee.profiles import load_profile
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, run_ingest, sentence, stage_document, upload_film, version_of
from tests.harness.media.films import made

PROFILE = """\
name: codecs
lines: [90, 180]
videos:
  - {codec: h264, preset: ultrafast}
  - {codec: hevc, preset: ultrafast, crf: 26, optional: true}
  - {codec: av1, preset: 10, crf: 40, optional: true, max_lines: 90}
"""


async def test_a_title_has_av1_and_an_optional_codec_that_fails_is_a_note(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    (tmp_path / "codecs.yaml").write_text(PROFILE)
    settings = platform_settings.model_copy(update={"profile": str(tmp_path / "codecs.yaml")})
    film = await made(
        tmp_path / "film.mp4", "testsrc2=size=320x180:rate=25:duration=7", vcodec="libx264", pix_fmt="yuv420p", g=50
    )
    upload = await upload_film(stores, film)
    result = await in_thread(lambda: run_ingest(settings, instance, upload, until="plan"))
    assert result.success, sentence(result)
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    profile = load_profile(settings.profile)
    assert plan.profile == profile.identity
    version = await version_of(stores, upload)
    assert (version.profile, version.profile_hash) == ("codecs", profile.hash)

    hevc, av1 = plan.others
    poisoned = msgspec.structs.replace(plan, others=[msgspec.structs.replace(hevc, preset="no-such-preset"), av1])
    key = f"titles/{upload.movie_id}/v1/plan.json"
    await stores.objects.put(key, msgspec.json.encode(poisoned), content_type="application/json")
    for first, last in (("renditions", "renditions"), ("streams", "images"), ("manifest", "title")):
        result = await in_thread(lambda: run_ingest(settings, instance, upload, only=first, until=last))  # noqa: B023
        assert result.success, sentence(result)
        # As housekeeping does, long after the other codecs were done: it takes nothing that the title still needs.
        await sweep_chunks(stores.job_queue, stores.objects, older_than_seconds=0.0)

    version = await version_of(stores, upload)
    assert version.state == "playable"
    (told,) = [one.sentence for one in version.notes if one.code == "codec-left-out"]
    assert "HEVC" in told
    assert "no-such-preset" in told, f"the encoder's own words are told: {told}"
    renditions = await stage_document(stores, upload, "renditions", RenditionsDocument)
    rungs = [one.rung.name for one in renditions.renditions]
    assert rungs == ["90p", "180p", "90p-av1"]
    assert [len(one.parts) for one in renditions.chunk_results] == [3] * len(plan.chunks)
    streams = await stage_document(stores, upload, "streams", StreamsDocument)
    assert [one.name for one in streams.video] == rungs
    quality = await stage_document(stores, upload, "quality", QualityDocument)
    assert [one.rung for one in quality.scores] == rungs
    published = await stage_document(stores, upload, "manifest", ManifestDocument)
    master = m3u8.loads((await stores.published.get(published.hls)).decode())
    assert [(one.stream_info.codecs or "")[:4] for one in master.playlists] == ["avc1", "avc1", "av01"]
    shown = (await stores.catalogue.titles.get(upload.movie_id)).tracks
    assert shown is not None
    assert shown.picture is not None
    assert (shown.picture.name, shown.picture.codecs) == ("180p", ["h264", "av1"])
