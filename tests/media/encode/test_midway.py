"""A picture that changes midway is fitted with bars into the title's frame: a circle stays round, colours stay."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest

from tests.harness.media.films import judged
from tests.harness.media.midway import H264, H264_REORDERED, HIGH10, MPEG2, Part, make, measure, pictures, rendition

PAL_4_3, PAL_16_9 = Fraction(16, 15), Fraction(64, 45)
NARROW, WIDE = Part(360, 288, PAL_4_3, codec=MPEG2, matrix="bt470bg"), Part(360, 288, PAL_16_9, 1.6, MPEG2, "bt470bg")
AVC_NARROW = Part(352, 288, Fraction(12, 11), codec=H264_REORDERED, matrix="bt470bg")
AVC_WIDE = AVC_NARROW._replace(aspect=Fraction(16, 11), seconds=1.6)
HD, SD = Part(640, 360, seconds=1.6), Part(352, 288, Fraction(12, 11), matrix="bt470bg")

SIDES, TOP, NO_BARS = (True, False), (False, True), (False, False)


async def check(
    film: Path, folder: Path, expected: Sequence[tuple[float, tuple[bool, bool]]], tolerance: int = 3
) -> None:
    """Encode `film` and measure it at each of `expected`: (seconds, whether bars are at the sides, at top and bottom)."""
    frames = await measure(await rendition(film, folder), [at for at, _ in expected])
    wrong = {
        at: found for (at, bars), one in zip(expected, frames, strict=True) if (found := one.findings(bars, tolerance))
    }
    assert not wrong, f"wrong at these seconds: {wrong}"


async def codes(film: Path) -> set[str]:
    return {one.code for one in (await judged(film)).notes}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("flag.ts", [NARROW, WIDE]),
        ("flag.mpg", [NARROW, WIDE]),
        ("vui.ts", [AVC_NARROW, AVC_WIDE]),
        ("flag.mkv", [NARROW, WIDE]),
        ("vui.mkv", [AVC_NARROW, AVC_WIDE]),
    ],
)
async def test_a_flag_alone_changes_the_shape(tmp_path: Path, name: str, parts: list[Part]) -> None:
    film = await make(tmp_path / name, parts)
    assert "pixel-shape-changes" in await codes(film), "nobody is told that the shape changes"
    await check(film, tmp_path, [(0.5, SIDES), (0.9, SIDES), (1.2, NO_BARS), (2.2, NO_BARS)])


async def test_the_frame_is_the_one_shown_longest(tmp_path: Path) -> None:
    """More frames of the narrow shape, but the wide one is shown longer."""
    film = await make(tmp_path / "longest.ts", [WIDE._replace(seconds=0.6), NARROW._replace(seconds=1.4)])
    await check(film, tmp_path, [(0.3, TOP), (1.2, NO_BARS)])


@pytest.mark.parametrize("name", ["size.ts", "size.mkv", "size.mp4", "size.mov"])
async def test_the_size_changes(tmp_path: Path, name: str) -> None:
    film = await make(tmp_path / name, [SD, HD])
    assert "picture-size-changes" in await codes(film), "nobody is told that the size changes"
    await check(film, tmp_path, [(0.5, SIDES), (1.3, NO_BARS), (2.3, NO_BARS)])


async def test_the_size_and_the_flag_change(tmp_path: Path) -> None:
    """MPEG-2 states the aspect of the whole picture: its pixels have another shape in each size."""
    wide_sd = Part(360, 288, Fraction(64, 45), 1.0, MPEG2, "bt470bg")
    hd = Part(640, 360, Fraction(1), 1.6, MPEG2)
    film = await make(tmp_path / "both.ts", [wide_sd, hd, wide_sd._replace(aspect=PAL_4_3)])
    await check(film, tmp_path, [(0.5, NO_BARS), (1.8, NO_BARS), (3.2, SIDES)])


async def test_it_changes_every_few_frames_and_within_chunks(tmp_path: Path) -> None:
    parts = [part._replace(seconds=0.2) for part in [NARROW, WIDE] * 12]
    film = await make(tmp_path / "flips.ts", [*parts, WIDE._replace(seconds=4)])
    times = [0.1 + 0.2 * n for n in range(24)]
    await check(film, tmp_path, [(at, NO_BARS if n % 2 else SIDES) for n, at in enumerate(times)])


async def test_range_and_matrix_change(tmp_path: Path) -> None:
    hd = Part(320, 180, seconds=1.4)
    film = await make(
        tmp_path / "colours.ts", [hd, hd._replace(range="pc", seconds=1), hd._replace(matrix="smpte170m", seconds=1)]
    )
    assert {"range-changes", "colours-change"} <= await codes(film)
    await check(film, tmp_path, [(0.5, NO_BARS), (1.9, NO_BARS), (2.9, NO_BARS)])


SDR = Part(320, 180)
PQ = Part(320, 180, codec=HIGH10, format="yuv420p10le", light="pq")
HLG = PQ._replace(light="hlg")
HDR_TOLERANCE = 8


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mostly-sdr.ts", [SDR, PQ, SDR]),
        ("mostly-pq.ts", [SDR._replace(seconds=0.6), PQ._replace(seconds=1.6), SDR]),
        ("mostly-hlg.mkv", [SDR._replace(seconds=0.6), HLG._replace(seconds=1.6), SDR]),
        ("three.ts", [PQ, SDR._replace(matrix="smpte170m"), HLG]),
        ("full.ts", [PQ._replace(range="pc"), SDR._replace(seconds=1.4), HLG]),
    ],
)
async def test_each_light_is_converted_by_its_own(tmp_path: Path, name: str, parts: list[Part]) -> None:
    film = await make(tmp_path / name, parts)
    told = await codes(film)
    assert "light-changes" in told, "nobody is told that the light changes"
    assert "light-not-converted" not in told
    ends = list(accumulate(part.seconds for part in parts))
    times = [at for end, part in zip(ends, parts, strict=True) for at in (end - part.seconds + 0.01, end - 0.045)]
    await check(film, tmp_path, [(at, NO_BARS) for at in times], HDR_TOLERANCE)


async def test_the_light_changes_within_later_chunks(tmp_path: Path) -> None:
    """Chunks count their frames from 0, and a film of an uneven rate repeats pictures: each still has its own light."""
    part = SDR._replace(seconds=2.6)
    film = await make(tmp_path / "long.mkv", [part, PQ._replace(seconds=2.2), part, PQ._replace(seconds=2.2), part])
    ends = [2.6, 4.8, 7.4, 9.6, 12.2]
    out = await rendition(film, tmp_path, segments=1)
    times = [at for end in ends for at in (end - 0.06, end + 0.02) if at < 12.2]
    wrong = {
        at: found
        for at, one in zip(times, await measure(out, times), strict=True)
        if (found := one.findings(None, HDR_TOLERANCE))
    }
    assert not wrong, f"wrong at these seconds: {wrong}"


async def test_pictures_of_unequal_lengths_keep_their_own_light(tmp_path: Path) -> None:
    part = SDR._replace(rate=5, codec=H264)
    film = await make(tmp_path / "uneven.mkv", [part, PQ._replace(seconds=1.6), part])
    await check(film, tmp_path, [(at, NO_BARS) for at in (0.9, 0.98, 1.02, 2.58, 2.62, 3.5)], HDR_TOLERANCE)


def turned(part: Part, degrees: int) -> Part:
    """The part with the rotation in its H.264 stream (SEI), not in a container."""
    bsf = f"h264_metadata=display_orientation=insert:rotate={degrees}"
    return part._replace(codec=(*H264, "-bsf:v", bsf))


async def test_a_turn_that_only_the_stream_states_is_done(tmp_path: Path) -> None:
    film = await make(tmp_path / "turned.ts", [turned(Part(320, 180), -90)])
    video = (await judged(film)).video
    assert (video.rotation, video.display_width, video.display_height) == (90, 180, 320)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("name", ["turns.ts", "turns.mkv"])
async def test_a_turn_midway_is_fitted_upright(tmp_path: Path, name: str, degrees: int) -> None:
    """Both parts are upright for a viewer: red above blue. The second is stored turned, as a phone does."""
    stored = {90: "transpose=cclock", 180: "hflip,vflip", 270: "transpose=clock"}[degrees]
    split = "drawbox=h=ih/2:color=red:t=fill,drawbox=y=ih/2:h=ih/2:color=blue:t=fill"
    still = SDR._replace(seconds=1.6, more=f",{split}")
    upright = (320, 180) if degrees == 180 else (180, 320)
    lying = Part(320, 180, more=f",scale={upright[0]}:{upright[1]},{split},{stored},setsar=1")
    film = await make(
        tmp_path / name, [still, turned(lying._replace(seconds=0.92), -degrees), still._replace(seconds=0.6)]
    )
    assert "rotation-changes" in await codes(film), "nobody is told that the picture is turned midway"
    out = await rendition(film, tmp_path)
    for at in (0.5, 1.5, 1.7, 2.4, 2.6, 3.0):
        (picture,) = await pictures(out, [at])
        middle = picture[:, picture.shape[1] // 2]
        above, below = middle[picture.shape[0] // 4], middle[3 * picture.shape[0] // 4]
        assert above[0] > 200 > 60 > above[2], f"at {at} s red is not above: {above}"
        assert below[2] > 200 > 60 > below[0], f"at {at} s blue is not below: {below}"
        shown = (picture.max(axis=2) > 60).any(axis=0).sum()
        assert shown == pytest.approx(320 if degrees == 180 or not 1.6 < at < 2.52 else 102, abs=3), f"at {at} s"


async def test_depth_and_rate_change(tmp_path: Path) -> None:
    part = Part(320, 180, seconds=1.4)
    deep = part._replace(format="yuv420p10le", seconds=1, codec=(*H264, "-profile:v", "high10"))
    film = await make(tmp_path / "depth.ts", [part, deep, part._replace(rate=50, seconds=1)])
    assert "picture-format-changes" in await codes(film)
    await check(film, tmp_path, [(0.5, NO_BARS), (1.9, NO_BARS), (2.9, NO_BARS)])


async def test_fields_and_frames_alternate(tmp_path: Path) -> None:
    fields = ("-flags", "+ildct+ilme")
    film = await make(
        tmp_path / "fields.ts",
        [
            NARROW._replace(codec=(*MPEG2, *fields), more=",setfield=tff"),
            WIDE,
        ],
    )
    await check(film, tmp_path, [(0.5, SIDES), (2.2, NO_BARS)])
