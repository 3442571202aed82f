"""What a file claims to be: ffprobe's JSON as typed values, read without trusting it.

A file can name others: playlists, concat lists, image sequences, external references. So only the protocol `file` and a
list of real film containers are allowed, for every program that opens an upload (`untrusted_input`), the name is always
given as a `file:` URL, and there is a time-out and a memory limit. Claims are judged by `judge`, not here.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec

from marquee.media.programs import binaries, process

CONTAINERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,ogg,asf,mxf,gxf,"
    "rm,nut,dv,wtv,yuv4mpegpipe,dnxhd,vc1,vvc,dirac"
)
"""ffmpeg's names of the containers that can hold a film; no playlist, list, image, subtitle or device among them."""
PROTOCOLS: Final = "file"
LOOKED_AT_MICROSECONDS: Final = 60_000_000
LOOKED_AT_BYTES: Final = 100 * 1024**2
"""How far is read to find a file's streams, where nothing in it lists them (MPEG program streams, FLV): by ffmpeg's own 5 s and
5 MB, sound that begins after the titles is not there. Every program must look as far, or they number streams differently."""


def untrusted_input(path: Path) -> dict[str, str | int]:
    """The input options of ffmpeg and ffprobe for an uploaded file; `filename` is its URL."""
    return {
        "filename": f"file:{path.absolute()}",
        "protocol_whitelist": PROTOCOLS,
        "format_whitelist": CONTAINERS,
        "analyzeduration": LOOKED_AT_MICROSECONDS,
        "probesize": LOOKED_AT_BYTES,
    }


def untrusted_arguments(path: Path) -> list[str]:
    """`untrusted_input` as arguments, up to and with `-i`."""
    options = untrusted_input(path)
    url = str(options.pop("filename"))
    return [*(text for name, value in options.items() for text in (f"-{name}", str(value))), "-i", url]


def ffprobe_arguments(path: Path, *options: str) -> list[str]:
    """ffprobe's command for an uploaded file."""
    return [str(binaries.ffprobe()), "-v", "error", *options, *untrusted_arguments(path)]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as ffprobe names it. Durations are seconds, None where nothing is claimed."""

    index: int
    kind: str
    codec: str
    width: int = 0
    height: int = 0
    sample_aspect_ratio: Fraction | None = None
    pixel_format: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    field_order: str | None = None
    rate: Fraction | None = None
    average_rate: Fraction | None = None
    start_seconds: float | None = None
    duration_seconds: float | None = None
    bitrate_bps: int | None = None
    rotation: int = 0
    mirrored: bool = False
    channels: int = 0
    channel_layout: str | None = None
    sample_rate: int = 0
    language: str = "und"
    title: str | None = None
    default: bool = False
    forced: bool = False
    attached_picture: bool = False
    frames_claimed: int | None = None


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    container: str
    start_seconds: float
    duration_seconds: float | None
    streams: list[Stream]

    def of_kind(self, kind: str) -> list[Stream]:
        return [stream for stream in self.streams if stream.kind == kind]


async def probe(path: Path, *, timeout_seconds: float = 60.0, memory_bytes: int | None = None) -> Probe:
    """Read what the file says of itself. Raises `ProcessFailed` where it cannot be opened as a film at all."""
    argv = ffprobe_arguments(path, "-print_format", "json", "-show_format", "-show_streams")
    found = await process.run(argv, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes)
    return _typed(msgspec.json.decode(found.stdout.decode(errors="replace") or "{}"))


def _typed(raw: dict[str, Any]) -> Probe:
    container = raw.get("format", {})
    return Probe(
        container=container.get("format_name", ""),
        start_seconds=_seconds(container.get("start_time")) or 0.0,
        duration_seconds=_positive(_seconds(container.get("duration"))),
        streams=[_stream(one) for one in raw.get("streams", [])],
    )


def _stream(raw: dict[str, Any]) -> Stream:
    rotation, mirrored = _orientation(raw)
    tags = {key.lower(): str(value) for key, value in raw.get("tags", {}).items()}
    flags = raw.get("disposition", {})
    return Stream(
        index=int(raw["index"]),
        kind=str(raw.get("codec_type", "unknown")),
        codec=str(raw.get("codec_name", "unknown")),
        width=int(raw.get("width") or 0),
        height=int(raw.get("height") or 0),
        sample_aspect_ratio=_fraction(raw.get("sample_aspect_ratio")),
        pixel_format=raw.get("pix_fmt"),
        color_primaries=raw.get("color_primaries"),
        color_transfer=raw.get("color_transfer"),
        color_space=raw.get("color_space"),
        color_range=raw.get("color_range"),
        field_order=raw.get("field_order"),
        rate=_fraction(raw.get("r_frame_rate")),
        average_rate=_fraction(raw.get("avg_frame_rate")),
        start_seconds=_seconds(raw.get("start_time")),
        duration_seconds=_positive(_seconds(raw.get("duration"))) or _positive(_clock(tags)),
        bitrate_bps=int(raw["bit_rate"]) if str(raw.get("bit_rate", "")).isdigit() else None,
        rotation=rotation,
        mirrored=mirrored,
        channels=int(raw.get("channels") or 0),
        channel_layout=raw.get("channel_layout"),
        sample_rate=int(raw.get("sample_rate") or 0),
        language=tags.get("language", "und")[:35],
        title=tags.get("title") or None,
        default=bool(flags.get("default")),
        forced=bool(flags.get("forced")),
        frames_claimed=int(raw["nb_frames"]) if str(raw.get("nb_frames", "")).isdigit() else None,
        attached_picture=bool(flags.get("attached_pic") or flags.get("timed_thumbnails") or flags.get("still_image")),
    )


_ORIENTATIONS: Final = {
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (90, False),
    (-1, 0, 0, -1): (180, False),
    (0, -1, 1, 0): (270, False),
    (-1, 0, 0, 1): (0, True),
    (0, -1, -1, 0): (90, True),
    (1, 0, 0, -1): (180, True),
    (0, 1, 1, 0): (270, True),
}
"""By a display matrix's a, b, c, d (a pixel at x, y is shown at ax + cy, bx + dy): degrees clockwise, and whether the picture
is mirrored left to right first."""


def _orientation(raw: dict[str, Any]) -> tuple[int, bool]:
    """How the picture is turned, from its display matrix: (degrees clockwise, mirrored first). What lies askew goes to the
    nearest, what is no matrix stands upright. ffprobe's own `rotation` alone would take a mirrored picture for a turned one."""
    for side in raw.get("side_data_list", []):
        cells = re.findall(r"-?\d+", re.sub(r"\w+:", "", str(side.get("displaymatrix", ""))))
        if len(cells) == 9:
            given = [int(cells[at]) for at in (0, 1, 3, 4)]
            nearest = max(_ORIENTATIONS, key=lambda one: sum(a * b for a, b in zip(one, given, strict=True)))
            return _ORIENTATIONS[nearest]
    return 0, False


def _seconds(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _positive(value: float | None) -> float | None:
    return value if value is not None and 0 < value < float("inf") else None


def _clock(tags: dict[str, str]) -> float | None:
    """Matroska's DURATION tag, `00:00:15.021000000` (with a language suffix in some files)."""
    text = next((value for key, value in tags.items() if key.split("-")[0] == "duration"), "")
    parts = text.split(":")
    try:
        return int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2]) if len(parts) == 3 else None
    except ValueError:
        return None


def _fraction(value: object) -> Fraction | None:
    """`30000/1001` or `10:11`; None for 0/0, 0:1 and what is not there."""
    above, _, below = str(value).replace(":", "/").partition("/")
    try:
        return Fraction(int(above), int(below)) if int(above) > 0 and int(below) > 0 else None
    except ValueError:
        return None
