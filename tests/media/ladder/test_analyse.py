"""The analysis of real and of odd films: each gets a sound ladder, from trials whose frames and bytes add up."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from marquee.documents import AnalysisDocument, PlanDocument, SourceDocument
from marquee.domain.hull import VISIBLE_VMAF
from marquee.errors import ProcessFailed, ProcessTimedOut
from marquee.media.encode.plan import plan
from marquee.media.encode.sample_table import sample_count, sample_sizes
from marquee.media.ladder import analyse as analyse_module
from marquee.media.ladder.analyse import analyse, packet_bytes, targets_for
from marquee.media.ladder.hull_plot import hull_png
from marquee.platform.project import PROJECT
from marquee.profiles import H264Video, Profile
from tests.harness.media.films import ENCODERS, judged, made, planned

BY_TITLE = Profile(name="test", ladder="by-title", videos=[H264Video(preset="medium", peak_factor=2)])


async def ladder_of(source: SourceDocument, film: Path, folder: Path) -> tuple[AnalysisDocument, PlanDocument]:
    """The analysis, and the plan by it."""
    fixed = planned(source, profile=BY_TITLE)
    made_in = folder / "trials"
    made_in.mkdir()
    found = await analyse(
        source, film, fixed.settings, fixed.total_frames, targets_for(BY_TITLE, fixed.settings.rungs), made_in
    )
    return found, plan(source, BY_TITLE, chunk_segments=1, encoders=ENCODERS, analysis=found)


def check_ladder(found: AnalysisDocument, made_plan: PlanDocument, source: SourceDocument) -> None:
    assert found.cpu_seconds > 0
    rungs = made_plan.settings.rungs
    assert 1 <= len(rungs) <= 7
    assert len({rung.name for rung in rungs}) == len(rungs)
    for below, above in pairwise(found.rungs):
        assert above.bitrate_bps > below.bitrate_bps
        assert above.vmaf - below.vmaf >= VISIBLE_VMAF - 0.01
        assert (above.width, above.height) >= (below.width, below.height)
    for rung in rungs:
        assert rung.width <= source.video.display_width
        assert rung.height <= source.video.display_height
        assert rung.max_bitrate_bps == 2 * rung.bitrate_bps
        assert rung.crf is not None
    assert f"scale=w={rungs[-1].width}:h={rungs[-1].height}" in made_plan.settings.filters.replace("\\", "")


async def test_a_real_film_has_its_own_ladder_and_a_picture_of_it(tmp_path: Path) -> None:
    film = PROJECT / "fixtures" / "bikes_640x272_silent.mp4"
    source = await judged(film)
    found, made_plan = await ladder_of(source, film, tmp_path)
    check_ladder(found, made_plan, source)
    assert len(found.rungs) >= 3
    assert found.rungs[-1].vmaf > 90
    assert {(one.width, one.height) for one in found.trials} == {(416, 176), (640, 272)}
    measured = [one.vmaf_neg for one in found.trials if one.vmaf_neg is not None]
    assert measured, "VMAF NEG stands nowhere"
    assert hull_png(found).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "graph", "options"),
    [
        ("black", "color=black:s=640x360:r=25:d=3", {}),
        ("four_frames", "testsrc2=s=640x360:r=25:d=0.16", {}),
        ("tiny", "testsrc2=s=32x32:r=25:d=2", {}),
        ("upright_60_fps", "testsrc2=s=180x320:r=60:d=2", {}),
    ],
)
async def test_an_odd_film_has_a_sound_ladder(
    name: str, graph: str, options: dict[str, object], tmp_path: Path
) -> None:
    film = await made(tmp_path / f"{name}.mkv", graph, pix_fmt="yuv420p", preset="ultrafast", **options)
    source = await judged(film)
    found, made_plan = await ladder_of(source, film, tmp_path)
    check_ladder(found, made_plan, source)
    if name == "black":
        assert len(found.rungs) == 1, "rungs that nobody can tell from each other"


@pytest.mark.parametrize("seekable", [False, True], ids=["not seekable", "a seek does not hold"])
async def test_a_film_without_trusted_seeks_is_decoded_once_from_its_start(seekable: bool, tmp_path: Path) -> None:
    film = await made(
        tmp_path / "film.mkv", "testsrc2=s=320x180:r=25:d=60", pix_fmt="yuv420p", preset="ultrafast", g=300
    )
    source = msgspec.structs.replace(await judged(film), seekable=seekable, frames=None)
    found, made_plan = await ladder_of(source, film, tmp_path)
    check_ladder(found, made_plan, source)
    assert 1 < len(found.samples) <= 4
    files = sorted((tmp_path / "trials").glob("*.mp4"))
    assert [sample_count(path) for path in files] == [sum(one.frames for one in found.samples)] * len(files)


async def test_a_trial_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    film = await made(tmp_path / "film.mkv", "testsrc2=s=320x180:r=25:d=2", pix_fmt="yuv420p", preset="ultrafast")
    source = await judged(film)
    broken = msgspec.structs.replace(source, video=msgspec.structs.replace(source.video, index=7))
    with pytest.raises(ProcessFailed, match=r"ffmpeg|stream"):
        await ladder_of(broken, film, tmp_path)


async def test_packets_of_a_damaged_file_are_those_that_can_be_read_and_a_time_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "film.mp4"
    damaged.write_bytes(b"no film" * 1000)
    assert await packet_bytes(damaged, 0) == ([], 0.0)
    monkeypatch.setattr(analyse_module, "_PROBE_TIMEOUT_BASE_SECONDS", 0.0)
    with pytest.raises(ProcessTimedOut):
        await packet_bytes(damaged, 0)


async def test_the_bytes_of_frames_add_up_to_the_file(tmp_path: Path) -> None:
    film = await made(tmp_path / "film.mp4", "testsrc2=s=320x180:r=25:d=2", pix_fmt="yuv420p", preset="ultrafast")
    sizes: Sequence[int] = sample_sizes(film)
    assert len(sizes) == sample_count(film) == 50
    assert 0 < sum(sizes) < film.stat().st_size
    assert sample_sizes(await made(tmp_path / "film.mkv", str(film), c="copy")) == []
