"""A film that is cut off is refused as cut off, or accepted with a note: whatever its container, wherever it ends."""

from pathlib import Path

import pytest

from marquee.errors import SourceRefused
from marquee.media.programs import binaries, process
from marquee.media.source.cut_off import asf_seconds, why_cut_off, why_index_cut_off
from tests.harness.media.films import judged

ENCODERS = {
    "film.mp4": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "+faststart"),
    "fragments.mp4": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov"),
    "film.mov": ("-c:v", "mpeg4", "-c:a", "aac"),
    "film.mkv": ("-c:v", "libx264", "-c:a", "aac"),
    "film.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"),
    "film.avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
    "film.flv": ("-c:v", "flv", "-c:a", "mp3"),
    "film.ts": ("-c:v", "libx264", "-c:a", "aac"),
    "film.wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "film.ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "film.mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"),
    "film.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
}
UNSIZED = {"film.ts", "film.ogv", "film.mpg", "fragments.mp4"}
"""Nothing in these says how long the whole film is: what is left of one is a shorter film, with a note."""


@pytest.mark.parametrize("name", ENCODERS)
async def test_a_cut_film_is_called_cut_off(name: str, tmp_path: Path) -> None:
    whole = tmp_path / name
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2")
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-y", *picture, *ENCODERS[name], str(whole)]
    await process.run(argv, timeout_seconds=60)
    assert why_cut_off(whole) is None, "a whole film is called cut off"
    content = whole.read_bytes()
    cut = whole.with_stem("cut")
    for size in (20, 400, len(content) // 20, len(content) // 3 + 1, len(content) * 2 // 3 + 1):
        cut.write_bytes(content[:size])
        said, noted = "", set()
        try:
            noted = {one.code for one in (await judged(cut)).notes}
        except SourceRefused as refusal:
            said = refusal.detail
        where = f"{size} of {len(content)} bytes"
        if said:
            assert "cut off" in said, f"{where}: {said}"
        else:
            assert name in UNSIZED, f"{where} pass for a whole film"
            assert "file-cut-off" in noted, f"{where}: nobody is told"


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"G", b"OggS", b"FLV\x01", b"RIFF", b"\x1aE\xdf\xa3", b"0&\xb2u\x8ef\xcf\x11" * 3]
)
def test_a_few_bytes_of_a_header_break_nothing(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "head"
    for more in (b"", bytes(40), b"\xff" * 40, bytes(range(200)) * 4):
        path.write_bytes(body + more)
        why_cut_off(path)
        asf_seconds(path)


async def test_an_index_that_ends_in_a_track_is_refused_and_one_that_ends_in_its_metadata_is_not(
    tmp_path: Path,
) -> None:
    whole = tmp_path / "film.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2")
    coded = ("-c:v", "libx264", "-c:a", "aac", "-metadata", "title=" + "x" * 200)
    await process.run(
        [str(binaries.picture_ffmpeg()), "-v", "error", "-y", *picture, *coded, str(whole)], timeout_seconds=60
    )
    content = whole.read_bytes()
    assert why_index_cut_off(whole) is None, "a whole film's index is called cut off"
    first, second = (at - 4 for at in (content.index(b"trak"), content.rindex(b"trak")))
    metadata = content.rindex(b"udta") - 4
    assert first < second < metadata, "the film does not end in its index"
    cut = tmp_path / "cut.mp4"
    for size in (first, first + 300, second - 1, second, second + 4, second + 40, metadata - 1):
        cut.write_bytes(content[:size])
        with pytest.raises(SourceRefused, match=r"cut off"):
            await judged(cut)
    for size in (metadata + 20, len(content) - 1):
        cut.write_bytes(content[:size])
        source = await judged(cut)
        assert len(source.audio) == 1
        assert "file-cut-off" in {one.code for one in source.notes}, f"{size} of {len(content)} bytes: nobody is told"


@pytest.mark.parametrize(
    "head", [b"", b"\0\0\0\1moov", b"\0\0\0\0moov", b"\xff\xff\xff\xffmoov\0\0\0\1trak", b"\0\0\0\7moov" * 9]
)
def test_any_bytes_are_an_index(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "head"
    for more in (b"", bytes(40), b"\xff" * 40):
        path.write_bytes(head + more)
        why_index_cut_off(path)
