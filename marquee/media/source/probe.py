"""Reads what a file claims to be: ffprobe's JSON as typed values, without trusting the file.

A film can name other files: playlists, concat lists, image sequences, external references. So every program that opens an
upload gets `untrusted_input`: only the protocol `file`, only a list of real film containers, and the name as a `file:` URL.
Every run has a time-out and a memory limit. Nothing is judged here: `claims` and `judge` do that.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec

from marquee.media.programs import binaries, process
from marquee.media.source.dolby_vision import DolbyVision, claimed
from marquee.media.source.track_length import own_seconds, positive, seconds

CONTAINERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,ogg,asf,mxf,gxf,"
    "rm,nut,dv,wtv,yuv4mpegpipe,dnxhd,vc1,vvc,dirac"
)
"""ffmpeg's names of the containers that can hold a film. Playlists, images, subtitles and devices are left out on purpose."""
SOUND_CONTAINERS: Final = frozenset({"mp3", "flac", "wav", "aiff", "aac"})
"""ffmpeg's names of containers that hold sound, and perhaps a cover picture."""
PROTOCOLS: Final = "file"
MAX_ANALYSIS_MICROSECONDS: Final = 60_000_000
MAX_ANALYSIS_BYTES: Final = 100 * 1024**2
"""How far to read for the streams of a file that has no list of them (MPEG program streams, FLV). ffmpeg's own 5 s and 5 MB miss
sound that begins after the opening titles. Every program must read equally far: else they number the streams differently."""


def untrusted_input(path: Path) -> dict[str, str | int]:
    """The input options of ffmpeg and ffprobe for an uploaded file. `filename` is its `file:` URL."""
    return {
        "filename": f"file:{path.absolute()}",
        "protocol_whitelist": PROTOCOLS,
        "format_whitelist": ",".join([CONTAINERS, *sorted(SOUND_CONTAINERS)]),
        "analyzeduration": MAX_ANALYSIS_MICROSECONDS,
        "probesize": MAX_ANALYSIS_BYTES,
    }


def untrusted_arguments(path: Path) -> list[str]:
    """`untrusted_input` as command-line arguments, ending with `-i` and the URL."""
    options = untrusted_input(path)
    url = str(options.pop("filename"))
    return [*(text for name, value in options.items() for text in (f"-{name}", str(value))), "-i", url]


def ffprobe_arguments(path: Path, *options: str) -> list[str]:
    """ffprobe's command for an uploaded file, with `options` before the input."""
    return [str(binaries.ffprobe()), "-v", "error", *options, *untrusted_arguments(path)]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as ffprobe describes it. None or 0 where the file claims nothing.

    `rotation` is degrees clockwise; `mirrored` means mirrored left to right before the rotation.
    """

    index: int
    kind: str
    codec: str
    format: str = ""
    """The codec's name for people: `AC-4`, `AAC (Advanced Audio Coding)`."""
    file_name: str | None = None
    """Of an attachment."""
    width: int = 0
    height: int = 0
    sample_aspect_ratio: Fraction | None = None
    pixel_format: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    dolby_vision: DolbyVision | None = None
    field_order: str | None = None
    rate: Fraction | None = None
    average_rate: Fraction | None = None
    start_seconds: float | None = None
    duration_seconds: float | None = None
    bitrate_bps: int | None = None
    rotation: int = 0
    rotation_rounded: bool = False
    """Whether the stated angle is oblique: `rotation` is the nearest right angle."""
    mirrored: bool = False
    channels: int = 0
    channel_layout: str | None = None
    sample_rate: int = 0
    language: str = "und"
    title: str | None = None
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False
    dispositions: frozenset[str] = frozenset()
    """ffmpeg's names of the flags that are set: `default`, `comment`, `visual_impaired`."""
    handler: str = ""
    """The name of an MP4 track's handler: an encoder's own name, or what the track is."""
    attached_picture: bool = False
    comment: str = ""
    """Of a cover: which picture of the album it is."""
    frames_claimed: int | None = None

    @property
    def end_seconds(self) -> float | None:
        """When the stream says that it ends, on the container's clock."""
        return None if self.duration_seconds is None else (self.start_seconds or 0.0) + self.duration_seconds


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """A programme of a transport stream, by its number in the PAT. A stream may belong to several."""

    number: int
    name: str | None = None
    streams: frozenset[int] = frozenset()


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a file claims. `container` is ffmpeg's name, which may be a list (`mov,mp4,m4a,3gp,3g2,mj2`).

    `brand` is the major brand of an MP4 or MOV file: `isom`, `qt`.
    """

    container: str
    start_seconds: float
    duration_seconds: float | None
    streams: list[Stream]
    programmes: list[Programme] = []
    brand: str = ""

    def of_kind(self, kind: str) -> list[Stream]:
        """The streams of one kind: `video`, `audio`, `subtitle`."""
        return [stream for stream in self.streams if stream.kind == kind]

    @property
    def end_seconds(self) -> float | None:
        """When the container says that it ends, on its own clock. Matroska states just this, others the time from the start."""
        if self.duration_seconds is None or self.container.startswith("matroska"):
            return self.duration_seconds
        return self.start_seconds + self.duration_seconds


async def probe(path: Path, *, timeout_seconds: float = 60.0, memory_bytes: int | None = None) -> Probe:
    """Read the file's claims.

    Raises `ProcessFailed` where the file cannot be opened as a film, `ProcessTimedOut` after `timeout_seconds`.
    """
    programmes = "program=program_num:program_tags=service_name:program_stream=index"
    argv = ffprobe_arguments(
        path, "-print_format", "json", "-show_format", "-show_streams", "-show_entries", programmes
    )
    found = await process.run(argv, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes)
    return probe_from_json(msgspec.json.decode(found.stdout.decode(errors="replace") or "{}"))


def probe_from_json(raw: dict[str, Any]) -> Probe:
    """The claims in ffprobe's JSON."""
    container = raw.get("format", {})
    return Probe(
        container=container.get("format_name", ""),
        start_seconds=seconds(container.get("start_time")) or 0.0,
        duration_seconds=positive(seconds(container.get("duration"))),
        streams=[_stream_from_json(one, container) for one in raw.get("streams", [])],
        programmes=[
            Programme(
                number=int(one.get("program_num", 0)),
                name=one.get("tags", {}).get("service_name") or None,
                streams=frozenset(int(each["index"]) for each in one.get("streams", [])),
            )
            for one in raw.get("programs", [])
        ],
        brand=str(container.get("tags", {}).get("major_brand", "")).strip(),
    )


_TEXT_TAGS: Final = frozenset({"wvtt", "c608", "c708"})
"""Text in MP4 that ffprobe does not know, by its tag: WebVTT and closed captions."""


def _stream_from_json(raw: dict[str, Any], container: dict[str, Any]) -> Stream:
    rotation, mirrored, rounded = _orientation(raw)
    tags = {key.lower(): str(value) for key, value in raw.get("tags", {}).items()}
    flags = raw.get("disposition", {})
    start = seconds(raw.get("start_time"))
    kind, codec = str(raw.get("codec_type", "unknown")), str(raw.get("codec_name", "unknown"))
    if codec == "unknown" and raw.get("codec_tag_string") in _TEXT_TAGS:
        kind, codec = "subtitle", str(raw["codec_tag_string"])
    return Stream(
        index=int(raw["index"]),
        kind=kind,
        codec=codec,
        format=_format_name(raw),
        file_name=tags.get("filename") or None,
        width=int(raw.get("width") or 0),
        height=int(raw.get("height") or 0),
        sample_aspect_ratio=_fraction(raw.get("sample_aspect_ratio")),
        pixel_format=raw.get("pix_fmt"),
        color_primaries=raw.get("color_primaries"),
        color_transfer=raw.get("color_transfer"),
        color_space=raw.get("color_space"),
        color_range=raw.get("color_range"),
        dolby_vision=claimed(raw),
        field_order=raw.get("field_order"),
        rate=_fraction(raw.get("r_frame_rate")),
        average_rate=_fraction(raw.get("avg_frame_rate")),
        start_seconds=start,
        duration_seconds=own_seconds(raw, tags, container, start or 0.0),
        bitrate_bps=int(raw["bit_rate"]) if str(raw.get("bit_rate", "")).isdigit() else None,
        rotation=rotation,
        rotation_rounded=rounded,
        mirrored=mirrored,
        channels=int(raw.get("channels") or 0),
        channel_layout=raw.get("channel_layout"),
        sample_rate=int(raw.get("sample_rate") or 0),
        language=tags.get("language", "und")[:35],
        title=tags.get("title") or tags.get("name") or None,  # `name` in MP4
        handler=tags.get("handler_name", ""),
        comment=tags.get("comment", ""),
        default=bool(flags.get("default")),
        forced=bool(flags.get("forced")),
        hearing_impaired=bool(flags.get("hearing_impaired") or flags.get("captions")),
        commentary=bool(flags.get("comment")),
        dispositions=frozenset(name for name, on in flags.items() if on),
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
"""(degrees clockwise, mirrored left to right first) by a display matrix's a, b, c, d: a pixel at x, y is shown at
ax + cy, bx + dy."""


_MAX_OBLIQUE_SHARE: Final = 0.02
"""Of the display matrix's weight. A matrix with more of it off the axes of the nearest right angle is oblique."""


def _orientation(raw: dict[str, Any]) -> tuple[int, bool, bool]:
    """(degrees clockwise, mirrored first, whether the angle was rounded), from the display matrix.

    An oblique angle becomes the nearest right angle. Without a valid matrix the picture counts as upright. ffprobe's own
    `rotation` is not used: it does not tell a mirrored picture from a rotated one.
    """
    for side in raw.get("side_data_list", []):
        cells = re.findall(r"-?\d+", re.sub(r"\w+:", "", str(side.get("displaymatrix", ""))))
        if len(cells) == 9:
            given = [int(cells[at]) for at in (0, 1, 3, 4)]
            nearest = max(_ORIENTATIONS, key=lambda one: sum(a * b for a, b in zip(one, given, strict=True)))
            off_axes = sum(abs(a) for a, b in zip(given, nearest, strict=True) if not b)
            return (*_ORIENTATIONS[nearest], off_axes > _MAX_OBLIQUE_SHARE * sum(map(abs, given)))
    return 0, False, False


_FORMAT_NAMES: Final = {
    "apac": "Apple Positional Audio (APAC)",
    "dtsx": "DTS:X",
    "alac": "Apple Lossless",
    "owma": "WMA",
}
"""Names of formats that ffprobe knows by their tag alone."""


def _format_name(raw: dict[str, Any]) -> str:
    """ffprobe's long name; of a codec that ffprobe does not know, its tag in the container."""
    named = str(raw.get("codec_long_name", "unknown"))
    if named != "unknown":
        return named
    tag = str(raw.get("codec_tag_string", ""))
    if re.fullmatch(r"[\w .:+-]{2,8}", tag):
        return _FORMAT_NAMES.get(tag, tag)
    return str(raw.get("codec_name", "unknown")).replace("unknown", "an unknown format")


def _fraction(value: object) -> Fraction | None:
    """`30000/1001` or `10:11` as a fraction; None for 0/0, 0:1 and a missing value."""
    above, _, below = str(value).replace(":", "/").partition("/")
    try:
        return Fraction(int(above), int(below)) if int(above) > 0 and int(below) > 0 else None
    except ValueError:
        return None
