"""What is read of a coded stream's headers: how much of it is kept, and that it does not depend on how the file is opened."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.media.source import coded_aspects as reading
from marquee.media.source.coded_aspects import coded_aspects
from tests.harness.media.films import made


def _read(headers: list[tuple[int, int]]) -> list[tuple[int, Fraction | None]]:
    """(time, aspect) of MPEG-2 headers, given as (time, code)."""
    found = reading._Headers()
    for ticks, code in headers:
        found.read_line(f"[info] Packet: 100 bytes, pts {ticks}, dts {ticks}, duration 1")
        found.read_line(f"[trace_headers @ 0x0] [info] 12          aspect_ratio_information     0011 = {code}")
    return [(one.ticks, one.aspect) for one in found.found]


def test_a_header_that_repeats_the_one_before_is_not_kept() -> None:
    """A film of hours has one in every half second."""
    headers = [(ticks, 3 if ticks < 50_000 else 2) for ticks in range(100_000)]
    assert _read(headers) == [(0, Fraction(16, 9)), (50_000, Fraction(4, 3))]


def test_a_repeated_header_is_kept_where_the_clock_goes_back() -> None:
    assert [ticks for ticks, _ in _read([(100, 3), (200, 3), (0, 3)])] == [100, 0]


def test_changes_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MAX_CHANGES", 7)
    assert len(_read([(ticks, 2 + ticks % 2) for ticks in range(1000)])) == 7


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.mov"])
async def test_the_headers_are_read_without_decoding_the_first_pictures(tmp_path: Path, name: str) -> None:
    """ffmpeg need not look for what the container's header says. What is found is the same."""
    film = await made(
        tmp_path / name, "testsrc2=size=96x64:rate=25:duration=2,setsar=4/3", vcodec="mpeg2video", g=12, r=25
    )
    usual = await coded_aspects(film, 0, "mpeg2video", stored_times=True)
    assert usual, "the film has no header that can be read"
    assert await coded_aspects(film, 0, "mpeg2video", stored_times=True, is_described=True) == usual
