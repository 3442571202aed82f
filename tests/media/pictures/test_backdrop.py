"""The backdrop: wide, sharp, not black, without bars, never larger than the film, and of another moment than the poster."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from marquee.media.pictures.backdrop import (
    CANDIDATES,
    WIDTHS,
    Backdrop,
    bars,
    candidates,
    make_backdrop,
    max_bytes,
    sharpness,
    sizes,
    wide_area,
)
from marquee.media.pictures.images import ImagesMade, make_images
from tests.harness.media.packaging import ffmpeg

NO_BARS = (0.0, 0.0, 0.0, 0.0)


@given(st.integers(2, 8192), st.integers(2, 8192), st.tuples(*[st.floats(0, 0.3)] * 4))
def test_the_part_is_inside_the_picture_and_wide(
    width: int, height: int, black: tuple[float, float, float, float]
) -> None:
    area = wide_area(width, height, black)
    assert area.left >= 0
    assert area.top >= 0
    assert area.left + area.width <= width
    assert area.top + area.height <= height
    assert abs(area.width - area.height * 16 / 9) <= 4, "16:9, but for even numbers of pixels"


@given(st.integers(0, 10_000))
def test_sizes_are_never_above_the_films_own_and_have_whole_even_lines(width: int) -> None:
    made = sizes(width)
    assert made == sorted(set(made))
    assert all(one <= width and one * 9 % 16 == 0 and (one * 9 // 16) % 2 == 0 for one in made)
    assert bool(made) == (width >= 160)
    assert all(one in made for one in WIDTHS if one <= width)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_candidates_are_few_good_and_of_moments_apart(scores: list[float]) -> None:
    times = [2.0 * index for index in range(len(scores))]
    duration = 2.0 * len(scores)
    poster = scores.index(max(scores))
    found = candidates(scores, times, duration, times[poster])
    assert len(found) <= CANDIDATES
    assert bool(found) == (max(scores) > 0), "a film without any good frame has no backdrop, every other one has"
    assert all(scores[index] >= 0.75 * max(scores) for index in found)
    assert len({times[index] for index in found}) == len(found)


def test_another_moment_than_the_posters_where_one_is_as_good() -> None:
    times = [10.0 * index for index in range(10)]
    assert candidates([0, 0.9, 0, 0, 0, 0.8, 0, 0, 0, 0.2], times, 100.0, 10.0) == [5]
    assert candidates([0, 0.9, 0, 0, 0, 0.3, 0, 0, 0, 0.2], times, 100.0, 10.0) == [1], "the other one is much poorer"


def test_bars_are_what_is_black_in_every_frame() -> None:
    frames = np.zeros((3, 90, 160, 3), dtype=np.uint8)
    frames[:, 12:78] = 3
    frames[1, 12:78] = 120
    above, below, left, right = bars(frames)
    assert 12 / 90 <= above <= 14 / 90
    assert 12 / 90 <= below <= 14 / 90
    assert (left, right) == (0.0, 0.0)
    assert bars(np.zeros_like(frames)) == NO_BARS, "a black film has no bars"
    frames[:, :60] = 0
    assert bars(frames)[0] == 0.0, "most of the picture is dark: that is a scene"


def test_a_blurred_picture_is_less_sharp() -> None:
    sharp = np.random.default_rng(1).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    blurred = ((sharp[:-1, :-1].astype(int) + sharp[1:, :-1] + sharp[:-1, 1:] + sharp[1:, 1:]) // 4).astype(np.uint8)
    assert sharpness(blurred) < sharpness(sharp)


async def _made(folder: Path, source: str, size: tuple[int, int], *filters: str) -> ImagesMade:
    film = folder / "film.mp4"
    await ffmpeg(
        *("-f", "lavfi", "-i", source, *filters, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-g", "25", "-keyint_min", "25", "-sc_threshold", "0", film),
    )
    return await make_images(film, folder / "out", duration_seconds=6.0, width=size[0], height=size[1])


@pytest.mark.parametrize(
    ("size", "widths"),
    [((1920, 1080), [640, 1280, 1920]), ((640, 272), [480]), ((540, 960), [512])],
)
async def test_every_shape_of_film_has_a_wide_picture(tmp_path: Path, size: tuple[int, int], widths: list[int]) -> None:
    made = await _made(tmp_path, f"testsrc2=s={size[0]}x{size[1]}:r=25:d=6", size)
    assert [width for _, width, _ in made.backdrop] == widths
    for path, width, height in made.backdrop:
        assert path.name == f"backdrop-{width}.jpg"
        assert path.stat().st_size <= max_bytes(width, height)
        with Image.open(path) as picture:
            assert picture.size == (width, height)
            assert width * 9 == height * 16
            assert float(np.asarray(picture.convert("L")).mean()) > 30, "the backdrop is black"


async def test_a_films_own_bars_are_cut_off(tmp_path: Path) -> None:
    box = "drawbox=t=fill:c=black:y=0:w=iw:h=92,drawbox=t=fill:c=black:y=628:w=iw:h=92"
    made = await _made(tmp_path, "testsrc2=s=1280x720:r=25:d=6", (1280, 720), "-vf", box)
    with Image.open(made.backdrop[-1][0]) as picture:
        luma = np.asarray(picture.convert("L")).astype(int)
    assert float(luma[0].mean()) > 30, "a black bar above"
    assert float(luma[-1].mean()) > 30, "a black bar below"


async def test_a_black_film_has_no_backdrop(tmp_path: Path) -> None:
    made = await _made(tmp_path, "color=c=black:s=320x180:r=25:d=6", (320, 180))
    assert made.backdrop == []
    assert made.backdrop_seconds is None
    assert made.poster.is_file(), "the poster is there all the same"


@pytest.mark.parametrize("moments", [[100.0], [2.0, 100.0]], ids=["no frame is there", "one of two is there"])
async def test_a_moment_without_a_frame_is_passed_over_and_no_film_fails_for_it(
    tmp_path: Path, moments: list[float]
) -> None:
    await _made(tmp_path, "testsrc2=s=640x360:r=25:d=6", (640, 360))
    made = await _backdrop_of(tmp_path / "film.mp4", tmp_path, moments)
    assert bool(made.files) == (len(moments) == 2)
    assert made.seconds == (2.0 if made.files else None)


async def test_a_film_that_ffmpeg_cannot_read_or_a_folder_that_it_cannot_write_leaves_the_backdrop_out(
    tmp_path: Path,
) -> None:
    await _made(tmp_path, "testsrc2=s=640x360:r=25:d=6", (640, 360))
    unreadable = tmp_path / "unreadable.mp4"
    unreadable.write_bytes(b"no film")
    for film, folder in ((unreadable, tmp_path), (tmp_path / "film.mp4", tmp_path / "missing")):
        assert await _backdrop_of(film, folder, [2.0]) == Backdrop((), None, pytest.approx(0.0, abs=600))


async def _backdrop_of(film: Path, folder: Path, moments: list[float]) -> Backdrop:
    """`make_backdrop` with one bright thumbnail for each moment."""
    return await make_backdrop(
        film,
        folder,
        width=640,
        height=360,
        frames=np.full((len(moments), 90, 160, 3), 200, dtype=np.uint8),
        times=moments,
        scores=[1.0] * len(moments),
        duration_seconds=101.0,
        poster_seconds=50.0,
    )
