"""Poster and sprites: a suitable frame in the film's own shape, and an index in which every tile is on its sheet."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from marquee.media.pictures.images import (
    MAX_POSTER_BYTES,
    MAX_SMALL_POSTER_BYTES,
    SHEET_TILES,
    make_images,
    placed_scores,
    poster_score,
    poster_size,
    tile_seconds,
    tile_size,
)
from tests.harness.media.packaging import ffmpeg


def test_tiles_are_as_many_as_scrubbing_needs_and_bounded() -> None:
    assert [tile_seconds(seconds) for seconds in (10, 200, 600, 7200, 86400)] == [2.0, 2.0, 4.0, 10.0, 87.0]
    assert 86400 / tile_seconds(86400) <= 1000


def test_dark_white_and_flat_frames_are_no_posters() -> None:
    noise = np.random.default_rng(1)
    lively = noise.integers(0, 255, (90, 160, 3), dtype=np.uint8)
    for level in (0, 10, 128, 255):
        assert poster_score(np.full((90, 160, 3), level, dtype=np.uint8)) == 0.0
    assert poster_score(lively) > 0.3
    frames = np.stack([np.zeros_like(lively), lively, lively // 8])
    scores = placed_scores(frames, [0.0, 5.0, 6.0], 10.0)
    assert scores.index(max(scores)) == 1


def test_a_tile_has_the_films_shape_within_what_a_sheet_can_hold() -> None:
    shapes = [(1920, 1080), (1080, 1920), (640, 272), (8, 1920), (1920, 8), (2, 2)]
    assert [tile_size(*shape) for shape in shapes] == [(160, 90), (160, 284), (160, 68), (2, 400), (160, 2), (160, 160)]


@given(st.integers(2, 4000), st.integers(2, 4000))
def test_a_poster_has_the_films_shape_is_never_scaled_up_and_can_be_halved(width: int, height: int) -> None:
    wide, high = poster_size(width, height)
    assert 2 <= wide <= max(2, min(width, 640))
    assert 2 <= high <= max(2, min(height, 640))
    assert wide % 2 == high % 2 == 0
    if max(width, height) >= 640:
        assert max(wide, high) == 640


async def _film(path: Path, seconds: int, size: str) -> None:
    """A film that is black for two seconds, then shows `testsrc2`; a key frame every 2 s."""
    await ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}", "-vf", "drawbox=t=fill:c=black:enable='lt(t,2)'"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", path),
    )


async def test_poster_has_the_films_shape_and_is_neither_black_nor_heavy(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    await _film(film, 9, "540x960")
    made = await make_images(film, tmp_path / "out", duration_seconds=9.0, width=540, height=960)
    assert made.poster.stat().st_size <= MAX_POSTER_BYTES
    with Image.open(made.poster) as poster:
        assert poster.size == (360, 640), "the poster of an upright film must be upright"
        assert float(np.asarray(poster.convert("L")).mean()) > 30, "the poster is black"
    assert made.small_poster.stat().st_size <= MAX_SMALL_POSTER_BYTES
    with Image.open(made.small_poster) as small:
        assert small.size == (180, 320)
    assert (made.poster.name, made.small_poster.name) == ("poster-360x640.jpg", "poster-180x320.jpg"), (
        "clients read the sizes from the names"
    )
    assert made.poster_seconds >= 2.0
    with Image.open(made.sprite) as sprite:
        assert sprite.size == (5 * 160, 284), "five tiles of an upright film"


async def test_every_cue_names_a_tile_that_shows_its_moment(tmp_path: Path) -> None:
    """Each second of the film has its own brightness, so a tile tells its time."""
    film = tmp_path / "film.mp4"
    seconds, rate = 246, Fraction(10)
    await ffmpeg(
        *(
            "-f",
            "lavfi",
            "-i",
            f"nullsrc=s=64x36:r={rate}:d={seconds}",
            "-vf",
            f"geq=lum='20+200*T/{seconds}':cb=128:cr=128",
        ),
        *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-g", "20", "-keyint_min", "20", film),
    )
    made = await make_images(film, tmp_path, duration_seconds=float(seconds), width=64, height=36)
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)", made.sprite_vtt.read_text())
    assert len(cues) == made.tiles == 62
    assert len(made.sprites) == 1
    sheet = np.asarray(Image.open(made.sprite).convert("L"))
    expected_end = 0.0
    for start, end, name, left, top, width, height in cues:
        begins, ends = (
            sum(float(part) * 60**power for power, part in enumerate(reversed(at.split(":")))) for at in (start, end)
        )
        assert begins == expected_end, f"a hole in the index before {start}"
        expected_end = ends
        tile = sheet[int(top) : int(top) + int(height), int(left) : int(left) + int(width)]
        assert tile.shape == (90, 160), f"{name} {left},{top} is not wholly on its sheet"
        shown = (float(tile.mean()) * 219 / 255 + 16 - 20) * seconds / 200
        assert abs(shown - begins) < 5.0, f"the tile at {start} shows second {shown:.0f}"
    assert expected_end == float(seconds)


async def test_long_films_have_several_sheets(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    await ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x36:r=2:d=1240", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-g", "4", "-keyint_min", "4", film),
    )
    made = await make_images(film, tmp_path, duration_seconds=1240.0, width=64, height=36)
    assert made.tiles == 124
    assert [path.name for path in made.sprites] == ["sprite.jpg", "sprite-2.jpg"]
    text = made.sprite_vtt.read_text()
    assert text.count("sprite.jpg#") == SHEET_TILES
    assert text.count("sprite-2.jpg#") == 24
