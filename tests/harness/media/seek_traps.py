"""Films in which decoding from the middle shows other pictures than decoding from the start, or nearly does.

Each is made on the spot: 28 s at 12 pictures a second, so five chunks of one segment. `Trap.make` writes the film to a path.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import ffmpeg

from marquee.media.programs import binaries, process
from tests.harness.media.two_descriptions import two_descriptions

SECONDS = 28
PICTURE = f"testsrc2=size=96x64:rate=12:duration={SECONDS},noise=alls=12:allf=t:all_seed=7,format=yuv420p"


class Trap(NamedTuple):
    """`seekable`: what `judge` must find; None where either is right. `soak`: too slow for each run of the tests."""

    name: str
    make: Callable[[Path], Awaitable[None]]
    seekable: bool | None = None
    soak: bool = False


async def encoded(path: Path, *, picture: str = PICTURE, **options: Any) -> None:
    argv = ffmpeg.output(ffmpeg.input(picture, format="lavfi"), str(path), **options)
    await process.run(
        argv.global_args("-v", "error").overwrite_output().compile(cmd=str(binaries.picture_ffmpeg())),
        timeout_seconds=300,
    )


async def copied(source: Path, path: Path, *options: str) -> None:
    argv = [binaries.picture_ffmpeg(), "-v", "error", "-y", *options, "-i", source, "-c", "copy", path]
    await process.run([str(one) for one in argv], timeout_seconds=60)


def plain(**options: Any) -> Callable[[Path], Awaitable[None]]:
    async def make(path: Path) -> None:
        await encoded(path, **options)

    return make


def x264(parameters: str, **options: Any) -> Callable[[Path], Awaitable[None]]:
    return plain(**{"vcodec": "libx264", "preset": "veryfast", "x264-params": parameters, **options})


def wrong_sync(codec: str, shift: int, **options: Any) -> Callable[[Path], Awaitable[None]]:
    """An MP4 whose table of sync samples (`stss`) names the pictures `shift` after each key frame."""

    async def make(path: Path) -> None:
        await encoded(path, **{"vcodec": codec, "g": 24, "bf": 0, **options})
        data = bytearray(path.read_bytes())
        at = data.rindex(b"stss") + 8
        count = int.from_bytes(data[at : at + 4], "big")
        assert count > 4
        for n in range(1, count):  # the first stays
            place = at + 4 + 4 * n
            data[place : place + 4] = (int.from_bytes(data[place : place + 4], "big") + shift).to_bytes(4, "big")
        path.write_bytes(data)

    return make


def wrong_cues(**options: Any) -> Callable[[Path], Awaitable[None]]:
    """A Matroska file each of whose cues has the position of the next one: a seek lands late."""

    async def make(path: Path) -> None:
        await encoded(path, **options)
        data = bytearray(path.read_bytes())
        cues = data.rindex(bytes.fromhex("1c53bb6b"))
        places = [
            (found.start(1), found.end(1))
            for found in re.finditer(rb"\xf1(?:\x81(.)|\x82(..)|\x83(...)|\x84(....))", bytes(data[cues:]), re.DOTALL)
            if found[1]
        ] or [
            (found.end() - size, found.end())
            for size in (2, 3, 4)
            for found in re.finditer(rb"\xf1" + bytes([0x80 + size]) + b"." * size, bytes(data[cues:]), re.DOTALL)
        ]
        assert len(places) > 2, "the film has no cues"
        values = [bytes(data[cues + begin : cues + end]) for begin, end in places]
        for (begin, end), value in zip(places, [*values[1:], values[-1]], strict=True):
            if len(value) == end - begin:
                data[cues + begin : cues + end] = value
        path.write_bytes(data)

    return make


async def old_x264_444(path: Path) -> None:
    """4:4:4 by an x264 before build 151: its version stands in an SEI of the first picture only. A decoder without it misreads.

    No such encoder is at hand. Here the SEI of a new film names an old version, so it is the linear decode that misreads some
    pictures, and a seek that does not: they differ in the same way.
    """
    picture = f"testsrc=size=96x64:rate=12:duration={SECONDS}"
    await encoded(path, picture=picture, vcodec="libx264", preset="veryfast", pix_fmt="yuv444p", g=24, qp=24)
    data = path.read_bytes()
    changed = re.sub(rb"x264 - core \d{3}", b"x264 - core 142", data)
    assert changed != data
    path.write_bytes(changed)


async def joined_streams(path: Path, *parts: dict[str, Any], only_first_sets: bool = False) -> None:
    """Films one behind the other in one elementary stream, remuxed to `path`: parameter sets change in band.

    `only_first_sets`: each parameter set stands in the stream once, before the first picture that needs it.
    """
    elementary = path.with_name("joined.h264")
    whole = b""
    for number, options in enumerate(parts):
        part = path.with_name(f"part{number}.h264")
        await encoded(part, picture=PICTURE.replace(f"duration={SECONDS}", f"duration={SECONDS / 2}"), **options)
        whole += part.read_bytes()
    if only_first_sets:
        seen: set[bytes] = set()
        kept = []
        for unit in re.split(rb"\x00\x00\x00?\x01", whole)[1:]:
            if unit[0] & 31 in {7, 8}:
                if unit in seen:
                    continue
                seen.add(unit)
            kept.append(b"\x00\x00\x00\x01" + unit)
        whole = b"".join(kept)
    elementary.write_bytes(whole)
    await copied(elementary, path, "-fflags", "+genpts", "-r", "12")


def two_sizes_of_references(*, only_first_sets: bool) -> Callable[[Path], Awaitable[None]]:
    async def make(path: Path) -> None:
        common = {"vcodec": "libx264", "preset": "veryfast", "bf": 0, "g": 24}
        first = {**common, "x264-params": "repeat-headers=1:cabac=1:ref=3:sps-id=0"}
        second = {**common, "x264-params": f"repeat-headers=1:cabac=0:ref=1:sps-id={int(only_first_sets)}"}
        await joined_streams(path, first, second, only_first_sets=only_first_sets)

    return make


def broken_links(**options: Any) -> Callable[[Path], Awaitable[None]]:
    """MPEG-2 in which every second GOP is flagged as a broken link: its leading B-frames lost the GOP before."""

    async def make(path: Path) -> None:
        await encoded(path, **{"vcodec": "mpeg2video", "bf": 2, "g": 15, **options})
        data = bytearray(path.read_bytes())
        headers = [found.start() for found in re.finditer(rb"\x00\x00\x01\xb8", bytes(data))]
        assert len(headers) > 6
        for at in headers[2::2]:
            data[at + 7] |= 0x20
        path.write_bytes(data)

    return make


async def descriptions(path: Path) -> None:
    """An MP4 with two sample descriptions: the second half has other parameter sets, with the same ids."""
    parts = []
    for number, parameters in enumerate(("cabac=1:ref=3", "cabac=0:ref=1:8x8dct=0")):
        part = path.with_name(f"part{number}.mp4")
        await encoded(
            part,
            picture=PICTURE.replace(f"duration={SECONDS}", f"duration={SECONDS / 2}"),
            **{"vcodec": "libx264", "bf": 0, "g": 24, "x264-params": parameters},
        )
        parts.append(part)
    path.write_bytes(two_descriptions(*parts))


VP9: dict[str, Any] = {
    "vcodec": "libvpx-vp9",
    "auto-alt-ref": 1,
    "lag-in-frames": 16,
    "g": 36,
    "deadline": "realtime",
    "cpu-used": 8,
}
X265: dict[str, Any] = {"vcodec": "libx265", "preset": "ultrafast"}

OPEN_X265: dict[str, Any] = {**X265, "x265-params": "open-gop=1:keyint=30:bframes=4:log-level=none"}
CLOSED_MPEG2: dict[str, Any] = {
    "vcodec": "mpeg2video",
    "bf": 2,
    "g": 15,
    "flags": "+cgop",
    "sc_threshold": 1_000_000_000,
}
AV1: dict[str, Any] = {"vcodec": "libsvtav1", "preset": 12, "g": 36}

TRAPS = [
    Trap("old_444.mp4", old_x264_444, seekable=False),
    Trap("open_gop.mp4", x264("open-gop=1:keyint=30:bframes=5:b-pyramid=normal"), seekable=True),
    Trap("open_gop.mkv", x264("open-gop=1:keyint=30:bframes=5"), seekable=True, soak=True),
    Trap("intra_refresh.mp4", x264("intra-refresh=1:keyint=36:bframes=0"), seekable=True),
    Trap("intra_refresh.mkv", x264("intra-refresh=1:keyint=80:bframes=0"), seekable=True, soak=True),
    Trap("refresh_wrong_sync.mp4", wrong_sync("libx264", 11, **{"x264-params": "intra-refresh=1:keyint=36"}), soak=True),
    Trap("wrong_sync.mp4", wrong_sync("libx264", 7)),
    Trap("wrong_sync_b.mp4", wrong_sync("libx264", 5, bf=3), soak=True),
    Trap("wrong_sync_mpeg4.mp4", wrong_sync("mpeg4", 7), soak=True),
    Trap("wrong_sync_hevc.mp4", wrong_sync("libx265", 7, **{"x265-params": "log-level=none:bframes=0"}), soak=True),
    Trap("wrong_sync_vp9.mp4", wrong_sync("libvpx-vp9", 7, **{**VP9, "auto-alt-ref": 0}), soak=True),
    Trap("wrong_sync_av1.mp4", wrong_sync("libsvtav1", 7, preset=12), soak=True),
    Trap("wrong_sync_qtrle.mov", wrong_sync("qtrle", 7), soak=True),
    Trap("wrong_sync_mpeg2.mp4", wrong_sync("mpeg2video", 7), soak=True),
    Trap("wrong_cues.mkv", wrong_cues(vcodec="libx264", g=24)),
    Trap("wrong_cues.webm", wrong_cues(**VP9), soak=True),
    Trap("two_descriptions.mp4", descriptions),
    Trap("sets_change.mp4", two_sizes_of_references(only_first_sets=False), soak=True),
    Trap("sets_change.mkv", two_sizes_of_references(only_first_sets=False), soak=True),
    Trap("sets_change.ts", two_sizes_of_references(only_first_sets=False), seekable=False, soak=True),
    Trap("sets_once.mp4", two_sizes_of_references(only_first_sets=True)),
    Trap("sets_once.mkv", two_sizes_of_references(only_first_sets=True), soak=True),
    Trap("broken_links.mkv", broken_links()),
    Trap("broken_links.mp4", broken_links(), soak=True),
    Trap("broken_links.ts", broken_links(), seekable=False, soak=True),
    Trap("closed_gop.mkv", plain(**CLOSED_MPEG2), seekable=True, soak=True),
    Trap("no_idr.ts", x264("intra-refresh=1:keyint=36:bframes=0"), seekable=False, soak=True),
    Trap("alt_ref_vp8.webm", plain(**{**VP9, "vcodec": "libvpx"}), seekable=True, soak=True),
    Trap("alt_ref_vp9.webm", plain(**VP9), seekable=True),
    Trap("alt_ref_vp9.mp4", plain(**VP9), seekable=True, soak=True),
    Trap("hidden_av1.mp4", plain(**AV1), seekable=True, soak=True),
    Trap("forward_keys_av1.mkv", plain(**{**AV1, "svtav1-params": "irefresh-type=1"}), soak=True),
    Trap("rasl.mp4", plain(**OPEN_X265), seekable=True),
    Trap("rasl.mkv", plain(**OPEN_X265), seekable=True, soak=True),
    Trap("refresh_hevc.mp4", plain(**X265, **{"x265-params": "intra-refresh=1:keyint=36:log-level=none"}), soak=True),
    Trap("fields.mkv", x264("open-gop=1:keyint=30:bframes=3:interlaced=1:tff=1"), seekable=True, soak=True),
    Trap("ffv1.mkv", plain(vcodec="ffv1", g=24, level=1), seekable=True, soak=True),
    Trap("theora.mkv", plain(vcodec="libtheora", g=24), seekable=True, soak=True),
    Trap("one_key.mp4", plain(vcodec="libx264", g=9999, sc_threshold=0), seekable=True, soak=True),
]  # fmt: skip
