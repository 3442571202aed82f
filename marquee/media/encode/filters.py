"""The picture's filter chain as typed data: from the decoded source to the top rung, then down the ladder.

`picture_chain` decides the filters up to the split (clock, deinterlace, rate, tone map, size, rotation, colour), as a
text that is hashed into a chunk's identity; `{start}` and `{end}` in it stand for the chunk's frames. `apply` puts a
chain on an ffmpeg-python stream. The chain depends on the source alone, never on the chunk: that is what makes
chunks join without a seam.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from marquee.documents import VideoStream

_SD_LINES: Final = 576
"""Up to here an untagged picture is taken for BT.601, above for BT.709, as players do."""
_KEPT_MATRICES: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470bg"}
_PRIMARIES: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470bg"}
_TRANSFER: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "smpte170m"}
_PEAK_NITS: Final = 100
_ZSCALE_MATRICES: Final = {
    "bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "ictcp", "gbr",
    "chroma-derived-nc", "chroma-derived-c",
}  # fmt: skip
_ZSCALE_TRANSFERS: Final = {
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "linear", "log100", "log316", "bt2020-10", "bt2020-12",
    "smpte2084", "iec61966-2-4", "iec61966-2-1", "arib-std-b67",
}  # fmt: skip
_ZSCALE_PRIMARIES: Final = {
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte428", "smpte431", "smpte432", "ebu3213",
}  # fmt: skip
"""What zscale knows by name; the rest of ITU-T H.273 is rarer than a wrong tag."""
_WIDE_MATRICES: Final = {"bt2020nc", "bt2020c", "ictcp"}
_WIDE_PRIMARIES: Final = {"bt2020", "smpte431", "smpte432"}
"""Red, green and blue that no SDR rendition may have; the others are BT.709's to within what screens differ by."""


class Filter(NamedTuple):
    name: str
    options: dict[str, str]

    def __str__(self) -> str:
        options = ":".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}={options}" if options else self.name


def render(chain: Sequence[Filter]) -> str:
    return ",".join(str(one) for one in chain)


def parse(text: str) -> list[Filter]:
    """The chain that `render` wrote (its values hold no comma, colon or equals sign)."""
    found = []
    for one in text.split(","):
        name, _, options = one.partition("=")
        found.append(Filter(name, dict(pair.split("=", 1) for pair in options.split(":")) if options else {}))
    return found


def apply(stream: Any, chain: Sequence[Filter]) -> Any:
    """Put a chain on an ffmpeg-python stream."""
    for one in chain:
        stream = stream.filter(one.name, **one.options)
    return stream


def chunk_chain(filters: str, start_frame: int, frames: int) -> list[Filter]:
    """`EncodingSettings.filters` for one run of output frames."""
    return parse(filters.replace("{start}", str(start_frame)).replace("{end}", str(start_frame + frames)))


def picture_chain(video: VideoStream, rate: Fraction, width: int, height: int) -> str:
    """The chain from the decoded picture to `width` x `height` (the top rung, upright) at `rate`, 8 bit 4:2:0."""
    turned = video.rotation in {90, 270}
    size = (height, width) if turned else (width, height)
    return render(
        [
            *_clock(video),
            *_progressive(video),
            *_grid(rate),
            *_colour_and_size(video, *size),
            *_upright(video),
            *_tags(video),
        ]
    )


def _clock(video: VideoStream) -> list[Filter]:
    """Time 0 is the title's first frame.

    By the container's clock (read with -copyts) the first frame's time is a number known from the scan; a mended clock, always
    read from its start, says it itself; frames without a clock are counted.
    """
    times = {
        "container": f"PTS-round({video.start_seconds!r}/TB)",
        "mended": "PTS-STARTPTS",
        "counted": f"N/({video.frame_rate})/TB",
    }
    return [Filter("setpts", {"expr": times[video.clock]})]


def _progressive(video: VideoStream) -> list[Filter]:
    """One frame out of two fields; frames that are not flagged interlaced pass untouched.

    `bwdif` alone cannot bear a picture that changes its size or format midway: such a one is evened before it, field by field.
    """
    if not video.interlaced:
        return []
    deinterlace = Filter("bwdif", {"mode": "send_frame", "parity": "auto", "deint": "interlaced"})
    if not video.format_changes:
        return [deinterlace]
    size = {"w": str(video.width), "h": str(video.height), "interl": "-1"}
    return [Filter("scale", size), Filter("format", {"pix_fmts": video.pixel_format}), deinterlace]


def _grid(rate: Fraction) -> list[Filter]:
    """The constant-rate grid pinned to time 0, and the chunk's frames of it.

    `fps` numbers frames by their time alone, so any run that decodes from before `{start}` sees the same frames there; its
    last frame is passed on however short it is, else a film of less than half a frame would have none.
    The last frame may be repeated twice at the very end, where rounding leaves the count short; more missing frames
    are a failure, which the count of the result shows.
    """
    return [
        Filter("fps", {"fps": str(rate), "round": "near", "eof_action": "pass"}),
        Filter("tpad", {"stop": "2", "stop_mode": "clone"}),
        Filter("trim", {"start_pts": "{start}", "end_pts": "{end}"}),
        Filter("setpts", {"expr": "PTS-{start}"}),
    ]


def _colour_and_size(video: VideoStream, width: int, height: int) -> list[Filter]:
    """To 8 bit 4:2:0 limited range at the top rung's size; HDR is tone-mapped to BT.709 after the scaling, where
    there are fewer pixels."""
    size = {"w": str(width), "h": str(height)}
    output = [Filter("format", {"pix_fmts": "yuv420p"}), Filter("setsar", {"sar": "1"})]
    if video.hdr:
        return [
            Filter("zscale", {**size, **_named_input(video), **_linear("{}"), "npl": str(_PEAK_NITS)}),
            Filter("format", {"pix_fmts": "gbrpf32le"}),
            Filter("tonemap", {"tonemap": "hable", "desat": "0"}),
            Filter("zscale", {**_linear("{}in"), "t": "bt709", "p": "bt709", "m": "bt709", "r": "tv"}),
            *output,
        ]
    if _kept(video):
        ranges = {"in_range": "pc", "out_range": "tv"} if _full_range(video) else {}
        return [Filter("scale", {**size, **ranges}), *output]
    if video.color_space == "gbr" and not _wide(video):
        return [Filter("scale", {**size, "out_color_matrix": "bt709", "out_range": "tv"}), *output]
    return [Filter("zscale", {**size, **_named_input(video), "p": "709", "t": "709", "m": "709", "r": "tv"}), *output]


def _wide(video: VideoStream) -> bool:
    return video.color_primaries in _WIDE_PRIMARIES


def _kept(video: VideoStream) -> bool:
    """Whether the samples are kept as they are, in the source's own matrix."""
    return not video.hdr and not _wide(video) and video.color_space in {None, *_KEPT_MATRICES}


def _linear(option: str) -> dict[str, str]:
    """zscale's names for linear light in BT.709's primaries, in which HDR is tone-mapped."""
    return {
        option.format("t"): "linear",
        option.format("p"): "bt709",
        option.format("m"): "gbr",
        option.format("r"): "pc",
    }


def _full_range(video: VideoStream) -> bool:
    return video.color_range == "pc" or video.pixel_format.startswith("yuvj")


def _named_input(video: VideoStream) -> dict[str, str]:
    """zscale refuses what is not named, or not known to it. What the source leaves out is BT.2020 where anything else in it
    is (every HDR format has that), else BT.709."""
    wide = video.hdr or video.color_space in _WIDE_MATRICES or video.color_primaries == "bt2020"
    matrix, transfer, primaries = video.color_space, video.color_transfer, video.color_primaries
    return {
        "tin": transfer if transfer in _ZSCALE_TRANSFERS else "bt709",
        "pin": primaries if primaries in _ZSCALE_PRIMARIES else "bt2020" if wide else "bt709",
        "min": matrix if matrix in _ZSCALE_MATRICES else "bt2020nc" if wide else "bt709",
        "rin": "pc" if _full_range(video) else "tv",
    }


_HFLIP: Final = Filter("hflip", {})
_VFLIP: Final = Filter("vflip", {})
_UPRIGHT: Final[dict[tuple[int, bool], list[Filter]]] = {
    (90, False): [Filter("transpose", {"dir": "clock"})],
    (180, False): [_HFLIP, _VFLIP],
    (270, False): [Filter("transpose", {"dir": "cclock"})],
    (0, True): [_HFLIP],
    (90, True): [Filter("transpose", {"dir": "clock_flip"})],
    (180, True): [_VFLIP],
    (270, True): [Filter("transpose", {"dir": "cclock_flip"})],
}
"""By `rotation` and `mirrored`. A clockwise turn of the mirrored picture is a reflection in the other diagonal."""


def _upright(video: VideoStream) -> list[Filter]:
    return _UPRIGHT.get((video.rotation, video.mirrored), [])


def output_matrix(video: VideoStream) -> str:
    """The YUV matrix of the renditions: the source's own where players know it, else BT.709."""
    if not _kept(video):
        return "bt709"
    if video.color_space is not None:
        return _KEPT_MATRICES[video.color_space]
    lines = min(video.width, video.height)
    if lines > _SD_LINES or max(video.width, video.height) > 1024:
        return "bt709"
    return "bt470bg" if video.height in {576, 288} else "smpte170m"


def _tags(video: VideoStream) -> list[Filter]:
    """Every rendition says what its colours are: a small rung of an HD film would else be taken for BT.601."""
    matrix = output_matrix(video)
    return [
        Filter(
            "setparams",
            {
                "range": "tv",
                "colorspace": matrix,
                "color_primaries": _PRIMARIES[matrix],
                "color_trc": _TRANSFER[matrix],
                "field_mode": "prog",
            },
        )
    ]


_SAFE: Final = re.compile(r"[0-9a-z]+")


def colour_name(name: str | None) -> str | None:
    """A colour property as ffmpeg prints it, or None where it says that it does not know."""
    if (
        name is None
        or name in {"unknown", "unspecified", "reserved", "N/A"}
        or not _SAFE.fullmatch(name.replace("-", ""))
    ):
        return None
    return name
