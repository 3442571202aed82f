"""What is read of a coded stream's headers: it does not depend on how the file is opened."""

from pathlib import Path

import pytest

from marquee.media.source.coded_aspects import coded_aspects, has_one_parameter_set
from tests.harness.media.films import made


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.mov"])
async def test_the_headers_are_read_without_decoding_the_first_pictures(tmp_path: Path, name: str) -> None:
    """ffmpeg need not look for what the container's header says. What is found is the same."""
    film = await made(
        tmp_path / name, "testsrc2=size=96x64:rate=25:duration=2,setsar=4/3", vcodec="mpeg2video", g=12, r=25
    )
    usual = await coded_aspects(film, 0, "mpeg2video", stored_times=True)
    assert usual, "the film has no header that can be read"
    assert await coded_aspects(film, 0, "mpeg2video", stored_times=True, is_described=True) == usual


@pytest.mark.parametrize(
    ("name", "options", "one"),
    [
        ("usual.mp4", {}, True),
        ("inside.mp4", {"bsf:v": "dump_extra=freq=keyframe"}, False),
        ("once-inside.mp4", {"x264-params": "repeat-headers=1"}, False),
        ("fragments.mp4", {"movflags": "frag_keyframe+empty_moov"}, False),
        ("film.mkv", {}, False),
    ],
)
async def test_a_short_mp4_with_one_parameter_set_is_not_read_again(
    tmp_path: Path, name: str, options: dict[str, str], one: bool
) -> None:
    film = await made(
        tmp_path / name, "testsrc2=size=96x64:rate=25:duration=2", vcodec="libx264", g=12, r=25, **options
    )
    assert has_one_parameter_set(film, film.stat().st_size) is one
    assert not has_one_parameter_set(film, 1 << 30), "a long film's bytes are searched"
