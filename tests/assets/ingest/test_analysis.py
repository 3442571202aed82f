"""The stage `analysis`: a ladder by title goes through the whole chain, and a film without trials has the fixed ladder."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.ingest import analysis as stage_module
from marquee.documents import AnalysisDocument, PlanDocument, QualityDocument, RenditionsDocument, StreamsDocument
from marquee.errors import ProcessFailed, ProcessTimedOut
from marquee.media.ladder.analyse import analyse
from marquee.platform.project import PROJECT
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.chain import in_thread, materialized, run_ingest, sentence, stage_document, upload_film, version_of
from tests.harness.media.films import made
from tests.harness.media.profiles import QUICK, QUICK_BY_TITLE


async def test_a_film_gets_its_own_ladder_and_plays(
    platform_settings: Settings, stores: Stores, workers: None, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Two rungs of one size, in which nothing that is named by lines alone may collide."""
    bikes = PROJECT / "fixtures" / "bikes_640x272_silent.mp4"
    film = await made(tmp_path / "film.mp4", str(bikes), t=2, preset="ultrafast", crf=12)
    upload = await upload_film(stores, film)
    by_title = platform_settings.model_copy(update={"profile": str(QUICK_BY_TITLE)})
    result = await in_thread(lambda: run_ingest(by_title, instance, upload, until="title"))
    assert result.success, sentence(result)
    found = await stage_document(stores, upload, "analysis", AnalysisDocument)
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    assert [(rung.width, rung.height, rung.crf) for rung in plan.settings.rungs] == [
        (point.width, point.height, point.crf) for point in found.rungs
    ]
    assert len(plan.settings.rungs) > len({rung.height for rung in plan.settings.rungs}), "no two rungs share a size"
    streams = await stage_document(stores, upload, "streams", StreamsDocument)
    assert {one.name for one in streams.video} == {rung.name for rung in plan.settings.rungs}
    scores = (await stage_document(stores, upload, "quality", QualityDocument)).scores
    assert [one.rung for one in scores] == [rung.name for rung in plan.settings.rungs], "the rungs' order is lost"
    assert [one.vmaf_mean for one in scores] == sorted(one.vmaf_mean for one in scores)
    encoded = await stage_document(stores, upload, "renditions", RenditionsDocument)
    rates = [one.average_bitrate_bps for one in encoded.renditions]
    assert rates == sorted(rates)
    assert (await version_of(stores, upload)).state == "playable"

    (shown,) = result.asset_materializations_for_node("analysis")
    assert str(shown.metadata["hull"].value).startswith("![")
    assert "CRF" in str(shown.metadata["rungs"].value)

    again = await in_thread(lambda: run_ingest(platform_settings, instance, upload, only="analysis", until="plan"))
    assert again.success, sentence(again)
    assert (await stage_document(stores, upload, "plan", PlanDocument)).settings_hash == plan.settings_hash, (
        "a playable version changed its ladder"
    )


async def test_a_film_of_which_no_trial_can_be_made_has_the_fixed_ladder_and_a_note(
    platform_settings: Settings,
    stores: Stores,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(*_: object, **__: object) -> AnalysisDocument:
        raise ProcessFailed("ffmpeg ended with code 1: Invalid data found.\n" + "Svt[info]: x\n" * 9 + "more " * 200)

    monkeypatch.setattr(stage_module, "analyse", fails)
    film = await made(tmp_path / "film.mp4", "testsrc2=s=320x180:r=25:d=1", pix_fmt="yuv420p", preset="ultrafast")
    upload = await upload_film(stores, film)
    by_title = platform_settings.model_copy(update={"profile": str(QUICK_BY_TITLE)})
    result = await in_thread(lambda: run_ingest(by_title, instance, upload, until="plan"))
    assert materialized(result) == {"source", "analysis", "plan"}, sentence(result)
    plan = await stage_document(stores, upload, "plan", PlanDocument)
    assert [rung.crf for rung in plan.settings.rungs] == [None]
    (told,) = [one for one in (await version_of(stores, upload)).notes if one.code == "ladder-not-analysed"]
    assert "(ffmpeg ended with code 1: Invalid data found. more more" in told.sentence, "the reason begins midway"


@pytest.mark.parametrize(
    "fault",
    [ProcessTimedOut("ffmpeg was stopped"), ProcessFailed("ffmpeg ended with code 228: No space left on device")],
)
async def test_a_busy_machine_or_a_full_disk_is_tried_again_and_decides_no_ladder(
    fault: Exception,
    platform_settings: Settings,
    stores: Stores,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults = [fault]

    async def fails_once(*given: Any, **options: Any) -> AnalysisDocument:
        if faults:
            raise faults.pop()
        return await analyse(*given, **options)

    monkeypatch.setattr(stage_module, "analyse", fails_once)
    film = await made(tmp_path / "film.mp4", "testsrc2=s=320x180:r=25:d=1", pix_fmt="yuv420p", preset="ultrafast")
    upload = await upload_film(stores, film)
    by_title = platform_settings.model_copy(update={"profile": str(QUICK_BY_TITLE)})
    result = await in_thread(lambda: run_ingest(by_title, instance, upload, until="analysis"))
    assert result.success, sentence(result)
    assert not faults
    found = await stage_document(stores, upload, "analysis", AnalysisDocument)
    assert (found.ladder, found.notes) == ("by-title", []), "one time-out gave the title a fixed ladder for good"


async def test_a_plan_by_another_profile_than_the_analysis_analyses_again(
    platform_settings: Settings, stores: Stores, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    film = await made(tmp_path / "film.mp4", "testsrc2=s=320x180:r=25:d=1", pix_fmt="yuv420p", preset="ultrafast")
    upload = await upload_film(stores, film)
    by_title = platform_settings.model_copy(update={"profile": str(QUICK_BY_TITLE)})
    fixed = platform_settings.model_copy(update={"profile": str(QUICK)})
    one_rung = platform_settings.model_copy(update={"profile": str(tmp_path / "one.yaml")})
    lines = QUICK_BY_TITLE.read_text().replace("ladder: by-title", "ladder: by-title\nlines: [90]")
    (tmp_path / "one.yaml").write_text(lines)
    assert (await in_thread(lambda: run_ingest(by_title, instance, upload, until="plan"))).success

    async def planned_by(settings: Settings) -> tuple[AnalysisDocument, PlanDocument]:
        result = await in_thread(lambda: run_ingest(settings, instance, upload, only="plan", until="plan"))
        assert result.success, sentence(result)
        return (
            await stage_document(stores, upload, "analysis", AnalysisDocument),
            await stage_document(stores, upload, "plan", PlanDocument),
        )

    found, plan = await planned_by(fixed)
    assert found.ladder == "fixed"
    assert {rung.crf for rung in plan.settings.rungs} == {None}, "rungs of one profile are planned under another"
    found, plan = await planned_by(one_rung)
    assert found.ladder == "by-title"
    assert {rung.height for rung in plan.settings.rungs} == {90}
    assert [rung.crf for rung in plan.settings.rungs] == [point.crf for point in found.rungs]
