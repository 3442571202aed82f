"""ffprobe's findings as typed values. An upload can never make ffprobe open another file."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.errors import ProcessFailed
from marquee.media.source.probe import probe, probe_from_json
from marquee.platform.project import FIXTURES
from tests.harness.media.films import judged
from tests.harness.media.packaging import ffmpeg


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


def test_mkvmerges_tag_is_a_length_and_libavformats_the_time_of_the_end() -> None:
    raw = {"index": 1, "codec_type": "audio", "start_time": "3.000000"}
    tags = {"DURATION": "00:00:05.500000000"}
    statistics = {**tags, "_STATISTICS_WRITING_APP": "mkvmerge v80"}
    for application, given, seconds in (
        ("Lavf61.1.100", tags, 2.5),
        ("libebml v1.4.4 + libmatroska v1.7.1", statistics, 5.5),
        ("Lavf61.1.100", statistics, 2.5),
    ):
        container = {"format_name": "matroska,webm", "tags": {"ENCODER": application}}
        found = probe_from_json({"format": container, "streams": [{**raw, "tags": given}]})
        assert found.streams[0].duration_seconds == pytest.approx(seconds), f"{application}: {given}"
        assert found.streams[0].end_seconds == pytest.approx(3 + seconds)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4", "mov", "ts"])
@pytest.mark.parametrize(("picture", "sound"), [(0, 3), (2, 0), (5, 7)])
async def test_a_track_that_starts_late_is_not_called_too_long(
    picture: int, sound: int, suffix: str, tmp_path: Path
) -> None:
    film, end = tmp_path / f"film.{suffix}", 9
    graphs = [
        *("-itsoffset", str(picture), "-f", "lavfi", "-i", f"testsrc2=size=64x64:rate=25:duration={end - picture}"),
        *("-itsoffset", str(sound), "-f", "lavfi", "-i", f"sine=duration={end - sound}"),
    ]
    codecs = ("-c:v", "libvpx", "-c:a", "libvorbis") if suffix == "webm" else ("-c:v", "mpeg4", "-c:a", "aac")
    await ffmpeg(*graphs, *codecs, film)
    codes = {one.code for one in (await judged(film)).notes}
    assert not codes & {"sound-cut", "sound-ends-early", "picture-ends-early"}, codes


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
