"""What is read of a coded stream's headers: it does not depend on how the file is opened."""

from pathlib import Path

import pytest

from marquee.media.source.coded_aspects import coded_aspects
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
