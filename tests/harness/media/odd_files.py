"""Files that are not films, or not whole ones: other formats, playlists, cut, damaged and encrypted films, false headers.

Each must be refused for a stated reason, or become a right title. `tests/media/source/test_odd_films.py` checks them.
"""

import gzip
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from tests.harness.media.odd import AAC, X264, ExpectedTitle, OddFilm, film, remade, sound, written
from tests.harness.media.packaging import ffmpeg

_TEXT = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    b"ffconcat version 1.0\nfile /etc/passwd\n",
    b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>\n',
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
)
_SRT = b"1\n00:00:00,500 --> 00:00:01,500\nHello\n"


def _zip() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.mp4", bytes(1 << 20))
    return out.getvalue()


def _by_ffmpeg(name: str, reason: str, *arguments: str, soak: bool = True) -> OddFilm:
    async def make(path: Path) -> None:
        await ffmpeg(*arguments, path)

    return OddFilm(name, make, reason, soak)


OTHERS = [
    written("playlist.mp4", "a playlist that points to other files", _TEXT[0]),
    written("concat.mkv", "a playlist that points to other files", _TEXT[1], soak=True),
    written("manifest.mp4", "a playlist that points to other files", _TEXT[2], soak=True),
    written("session.mp4", "a playlist that points to other files", _TEXT[3]),
    written("captions.mp4", "subtitles", _SRT),
    written("captions.vtt", "subtitles", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", soak=True),
    written("captions.ass", "subtitles", b"[Script Info]\nScriptType: v4.00+\n\n[Events]\n", soak=True),
    written("utf16.txt", "text", "A long story, told in two bytes a letter.\n".encode("utf-16"), soak=True),
    written("page.mp4", "a page of a web site", b"<!doctype html><html><body>404</body></html>", soak=True),
    written("json.mp4", "text", b'{"error": "not found"}', soak=True),
    written("program.mp4", "a program", Path(sys.executable).resolve().read_bytes()[:100_000], soak=True),
    written("archive.mp4", "a ZIP archive", _zip(), soak=True),
    written("archive.gz", "a gzip archive", gzip.compress(bytes(1 << 20)), soak=True),
    written("zeros.mp4", "not a film in any format", bytes(100_000)),
    written("one-byte.mp4", "not a film in any format|text", b"x", soak=True),
    written(
        "ones.ts", "text|not a film in any format|Nothing of the picture|no picture", b"\x47" * 188 * 500, soak=True
    ),
    _by_ffmpeg("picture.png", r"a picture \(PNG\)", "-f", "lavfi", "-i", "testsrc", "-frames:v", "1"),
    _by_ffmpeg("picture.jpg", r"a picture \(JPEG\)", "-f", "lavfi", "-i", "testsrc", "-frames:v", "1"),
    _by_ffmpeg("picture.webp", r"a picture \(WebP\)", "-f", "lavfi", "-i", "testsrc", "-frames:v", "1"),
    _by_ffmpeg("picture.avif", r"a picture \(AVIF\)", "-f", "lavfi", "-i", "testsrc", "-frames:v", "1"),
    _by_ffmpeg("moving.gif", r"a picture \(GIF\)", "-f", "lavfi", "-i", "testsrc=duration=1"),
    _by_ffmpeg("sound.mp4", "only sound", *sound()),
    _by_ffmpeg("sound.mkv", "only sound", *sound()),
    _by_ffmpeg("sound.ogg", "only sound", *sound()),
    _by_ffmpeg("sound.ts", "only sound", *sound()),
    _by_ffmpeg("sound.mp3", "only sound", *sound()),
    _by_ffmpeg("sound.wav", "only sound", *sound()),
    _by_ffmpeg("sound.flac", "only sound", *sound()),
    _by_ffmpeg("sound.aac", "only sound", *sound()),
    _by_ffmpeg("sound.ac3", "sound|not a film in any format", *sound()),
    _by_ffmpeg("sound.aiff", "only sound", *sound()),
]

# --- cut, damaged, encrypted ----------------------------------------------------------------------------------------------------

_FULL = (*X264, "-g", "12")


def _whole(suffix: str, *options: str, codec: tuple[str, ...] = _FULL) -> OddFilm:
    return film(f"whole.{suffix}", ExpectedTitle(), *AAC, *options, codec=codec, sound_input=sound())


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def _flip_bits(seed: int, flips: int) -> Callable[[bytes], bytes]:
    """Flips `flips` single bits at random places after the first tenth of the file."""

    def change(content: bytes) -> bytes:
        chosen, changed = random.Random(seed), bytearray(content)
        for _ in range(flips):
            changed[chosen.randrange(len(changed) // 10, len(changed))] ^= 1 << chosen.randrange(8)
        return bytes(changed)

    return change


def _hole(first: float, last: float) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        start, end = int(len(content) * first), int(len(content) * last)
        return content[:start] + bytes(end - start) + content[end:]

    return change


_ANY = r".+"
CUT = [
    remade("cut-half.mp4", r"index \(moov\) is missing", _whole("mp4"), _cut(0.5)),
    remade("cut-half-faststart.mp4", "cut off", _whole("mp4", "-movflags", "+faststart"), _cut(0.5), soak=True),
    remade("cut-half.mkv", "cut off", _whole("mkv"), _cut(0.5), soak=True),
    remade("cut-half.mov", r"index \(moov\) is missing", _whole("mov"), _cut(0.5), soak=True),
    remade("cut-half.flv", "cut off", _whole("flv"), _cut(0.5), soak=True),
    remade("cut-half.avi", "cut off", _whole("avi"), _cut(0.5), soak=True),
    remade(
        "cut-half.ts",
        ExpectedTitle(seconds=None, clock=False, looks_like_master=False),
        _whole("ts"),
        _cut(0.5),
        soak=True,
    ),
    remade("cut-head.mp4", _ANY, _whole("mp4"), lambda content: content[1000:], soak=True),
    remade("cut-head.mkv", _ANY, _whole("mkv"), lambda content: content[1000:], soak=True),
    remade("hole.mp4", "too damaged", _whole("mp4"), _hole(0.3, 0.6)),
    remade("hole.mkv", "damaged|cut off", _whole("mkv"), _hole(0.3, 0.6), soak=True),
    remade("hole.ts", "too damaged", _whole("ts"), _hole(0.3, 0.6), soak=True),
    remade("hole.flv", "damaged|cut off", _whole("flv"), _hole(0.3, 0.6), soak=True),
    remade("hole.avi", "damaged|cut off", _whole("avi"), _hole(0.3, 0.6), soak=True),
]


async def _encrypted(path: Path) -> None:
    whole = path.with_name("whole.mp4")
    await film("whole.mp4", ExpectedTitle(), *AAC, sound_input=sound()).make(whole)
    key = ("-encryption_key", "0123456789abcdef" * 2, "-encryption_kid", "fedcba9876543210" * 2)
    await ffmpeg("-i", whole, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *key, path)


def _claiming(box: bytes, offset: int, value: bytes) -> Callable[[bytes], bytes]:
    """Overwrites the bytes `offset` after the name of the first MP4 box called `box` by `value`."""

    def change(content: bytes) -> bytes:
        at = content.index(box) + 4 + offset
        return content[:at] + value + content[at + len(value) :]

    return change


_HUGE = struct.pack(">I", 0xFFFFFFF0)
CLAIMS = [
    OddFilm("locked.mp4", _encrypted, "encrypted"),
    remade("claims-a-day.mp4", ExpectedTitle(), _whole("mp4"), _claiming(b"mvhd", 16, _HUGE), soak=True),
    remade("claims-samples.mp4", _ANY, _whole("mp4"), _claiming(b"stsz", 8, _HUGE), soak=True),
    remade("claims-times.mp4", _ANY, _whole("mp4"), _claiming(b"stts", 4, _HUGE), soak=True),
    remade("claims-no-time.mp4", "clock is broken", _whole("mp4"), _claiming(b"stts", 12, _HUGE), soak=True),
    remade("claims-chunks.mp4", ExpectedTitle(), _whole("mp4"), _claiming(b"stco", 4, _HUGE), soak=True),
    remade("claims-size.mp4", ExpectedTitle(), _whole("mp4"), _claiming(b"avc1", 24, b"\xff\xff\xff\xff"), soak=True),
    remade(
        "claims-hours-a-frame.mp4",
        ExpectedTitle(clock=False, looks_like_master=False),
        _whole("mp4"),
        _claiming(b"mdhd", 12, struct.pack(">I", 1)),
        soak=True,
    ),
]

RANDOMLY_DAMAGED = [
    *(remade(f"rot-{kind}-{seed}.{kind}", _ANY, _whole(kind), _flip_bits(seed, 3 ** (seed % 5)), soak=True)
      for kind in ("mp4", "mkv", "ts", "avi", "flv", "mov") for seed in range(10)),
    *(remade(f"cut-{kind}-{seed}.{kind}", _ANY, _whole(kind), _cut(random.Random(seed).random()), soak=True)
      for kind in ("mp4", "mkv", "ts", "avi", "flv", "mov") for seed in range(5)),
]  # fmt: skip
"""Each is either refused with a reason or becomes a whole title, depending on where the damage is."""

FILMS = [*OTHERS, *CUT, *CLAIMS]
