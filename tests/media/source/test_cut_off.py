"""A film that is cut off is refused as cut off, or accepted with a note: whatever its container, wherever it ends."""

from pathlib import Path

import pytest

from marquee.errors import SourceRefused
from marquee.media.programs import binaries, process
from marquee.media.source.cut_off import asf_seconds, why_cut_off
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
