"""A film in which most seeks fail, though the places that `source` tried hold: the chain gives the seeks up."""

from pathlib import Path

import dagster as dg
import msgspec
import pytest

from assets.ingest import renditions
from marquee.documents import PlanDocument, RenditionsDocument, SourceDocument, keys
from marquee.media.encode import plan as planning
from marquee.settings import Settings
from marquee.stores.catalogue.values import Upload
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, run_ingest, sentence, stage_document, upload_film, version_of
from tests.harness.media.films import made


async def _make_seeks_fail(stores: Stores, upload: Upload) -> None:
    """Every picture of the linear decode gets another checksum, as if it had been another picture."""
    source = await stage_document(stores, upload, "source", SourceDocument)
    assert source.seekable
    assert source.frames is not None
    other = bytes(byte ^ 0xFF for byte in source.frames.packed_checksums)
    frames = msgspec.structs.replace(source.frames, packed_checksums=other)
    body = msgspec.json.encode(msgspec.structs.replace(source, frames=frames))
    key = keys.stage_key(upload.movie_id, upload.version, "source")
    await stores.objects.put(key, body, content_type="application/json")


async def test_where_most_seeks_fail_few_chunks_are_decoded_from_the_films_start(
    platform_settings: Settings,
    stores: Stores,
    workers: None,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the cost grows with the square of the film's length."""
    for module in (renditions, planning):
        monkeypatch.setattr(module, "MAX_UNSEEKABLE_CHUNKS", 2)
    film = await made(
        tmp_path / "film.mp4", "testsrc2=size=96x64:rate=12:duration=31", vcodec="libx264", g=24, pix_fmt="yuv420p"
    )
    upload = await upload_film(stores, film)
    assert (await in_thread(lambda: run_ingest(platform_settings, instance, upload, until="plan"))).success
    planned = await stage_document(stores, upload, "plan", PlanDocument)
    assert len(planned.chunks) == 5, "the film has another number of chunks than this test needs"
    await _make_seeks_fail(stores, upload)

    result = await in_thread(
        lambda: run_ingest(platform_settings, instance, upload, only="renditions", until="streams")
    )
    assert result.success, sentence(result)
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    made_again = await stage_document(stores, upload, "renditions", RenditionsDocument)
    assert len(plan.chunks) == len(made_again.chunk_results) == 2
    assert not (await stage_document(stores, upload, "source", SourceDocument)).seekable
    assert (plan.total_frames, plan.settings) == (planned.total_frames, planned.settings)
    told = [one.code for one in (await version_of(stores, upload)).notes]
    assert "chunks-decoded-again" in told, "the uploader is not told"

    again = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="renditions"))
    assert again.success, sentence(again)
    stored = await stage_document(stores, upload, "renditions", RenditionsDocument)
    assert stored.cpu_seconds == 0, "encoded twice"
