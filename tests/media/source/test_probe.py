"""ffprobe's findings as typed values. An upload can never make ffprobe open another file."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.errors import ProcessFailed
from marquee.media.source.probe import probe
from marquee.platform.project import FIXTURES


async def test_streams_are_typed() -> None:
    found = await probe(FIXTURES / "bbb_720p_5.1aac.mp4")
    (picture,) = found.of_kind("video")
    (sound,) = found.of_kind("audio")
    assert (picture.codec, picture.width, picture.height, picture.rate) == ("h264", 1280, 720, Fraction(25))
    assert (sound.channels, sound.sample_rate) == (6, 48000)
    assert picture.duration_seconds == pytest.approx(5.28)


async def test_matroska_duration_is_read_from_its_tag() -> None:
    found = await probe(FIXTURES / "test_hevc10.mkv")
    assert found.of_kind("video")[0].duration_seconds == pytest.approx(0.967)


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{target}</BaseURL></MPD>',
    ],
    ids=["hls", "concat", "dash"],
)
@pytest.mark.parametrize("name", ["film.mp4", "film.m3u8", "film.ffconcat", "film.mpd"])
async def test_a_playlist_is_never_followed(tmp_path: Path, content: str, name: str) -> None:
    target = FIXTURES / "bikes_640x272_silent.mp4"
    (tmp_path / name).write_text(content.format(target=target))
    with pytest.raises(ProcessFailed):
        await probe(tmp_path / name)


async def test_an_image_sequence_pattern_in_a_name_is_only_a_name(tmp_path: Path) -> None:
    film = tmp_path / "film-%03d.mp4"
    film.write_bytes((FIXTURES / "test_sar.mp4").read_bytes())
    assert (await probe(film)).of_kind("video")[0].width == 720
