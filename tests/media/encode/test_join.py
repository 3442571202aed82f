"""Chunks joined without encoding: every frame at every seam is exactly on the grid, at any frame rate."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.errors import ProcessFailed
from marquee.media.encode.join import frame_ticks, join_rendition, seam_problem, video_timescale
from tests.harness.media.packaging import make_chunks


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "25", "60", "8797/1000", "10", "60000/1001"])
def test_a_frame_is_a_whole_number_of_ticks(rate: str) -> None:
    each = Fraction(rate)
    assert frame_ticks(each) * each == video_timescale(each), f"at {each} fps a frame is not a whole number of ticks"


@pytest.mark.parametrize("rate", ["30000/1001", "8797/1000"])
async def test_seams_have_neither_gap_nor_overlap(rate: str, tmp_path: Path) -> None:
    each = Fraction(rate)
    gop = round(2 * each)
    lengths = [3 * gop, 3 * gop, 6 * gop, 7]
    parts = await make_chunks(tmp_path, each, lengths)
    out = tmp_path / "joined.mp4"
    await join_rendition(parts, out, frame_rate=each, frames=sum(lengths))
    assert await seam_problem(out, frame_rate=each, frames=sum(lengths)) is None
    assert not list(tmp_path.glob(".*")), "the join left its folder of links behind"


async def test_a_missing_chunk_is_noticed(tmp_path: Path) -> None:
    rate = Fraction(25)
    parts = await make_chunks(tmp_path, rate, [150, 150])
    out = tmp_path / "joined.mp4"
    with pytest.raises(ProcessFailed, match="has 150 frames, not 300"):
        await join_rendition(parts[:1], out, frame_rate=rate, frames=300)
    assert not out.exists(), "a rendition that is not continuous was left on disk"


async def test_chunks_of_other_settings_do_not_join(tmp_path: Path) -> None:
    rate = Fraction(25)
    (tmp_path / "a").mkdir()
    one = await make_chunks(tmp_path, rate, [50])
    other = await make_chunks(tmp_path / "a", rate, [50], size="32x32")
    with pytest.raises(ProcessFailed, match="other parameter sets"):
        await join_rendition([*one, *other], tmp_path / "joined.mp4", frame_rate=rate, frames=100)
