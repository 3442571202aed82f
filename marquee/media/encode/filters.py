"""The picture's filter chain as typed data: from the decoded source to the frames of the top rung.

`picture_chain` writes the filters (clock, fitting, deinterlacing, frame rate, tone mapping, size, rotation, colour tags) as a
text (`filter_text`), which is part of `EncodingSettings` and so of a chunk's identity. The chain depends on the source alone,
never on the chunk: otherwise chunks would not join without a seam. `transcode` and `quality` use it.
"""

import math
import re
from fractions import Fraction
from typing import Final

from marquee.documents import VideoStream
from marquee.media.encode.colours import believed, is_rgb, is_wide
from marquee.media.encode.filter_text import Filter, choice, render
from marquee.media.encode.fitting import TURNS, fit
from marquee.media.encode.lights import by_light

_SD_LINES: Final = 576
"""An untagged picture with at most this many lines counts as BT.601, a larger one as BT.709: players do the same."""
_KEPT_MATRICES: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470bg"}
_PRIMARIES: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470bg"}
_TRANSFER: Final = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "smpte170m"}
_REFERENCE_WHITE_NITS: Final = 203
"""Diffuse white of HDR in cd/m2 (ITU-R BT.2408, table 1). Linear light is counted in multiples of it."""
_KNEE: Final = 0.5
"""Up to half the reference white (101.5 cd/m2), light is shown as it is. Brighter light is compressed by a hyperbola."""
_PEAK_NITS: Final = 1000
"""What becomes SDR white: the peak of HLG's reference display and of most PQ masters. ADR 26 has the figures."""


def picture_chain(video: VideoStream, rate: Fraction, width: int, height: int, *, bit_depth: int = 8) -> str:
    """The chain from the decoded picture to the upright `width` x `height` (the top rung) at `rate`, in 4:2:0."""
    turned = video.rotation in {90, 270}
    size = (height, width) if turned else (width, height)
    return render(
        [
            *_start_at_zero(video),
            *fit(video),
            *_deinterlace(video),
            *_frame_grid(rate, _held_frames(video, rate)),
            *_colour_and_size(video, rate, *size, "yuv420p10le" if bit_depth == 10 else "yuv420p"),
            *_rotate_upright(video),
            *_colour_tags(video),
        ]
    )


def _start_at_zero(video: VideoStream) -> list[Filter]:
    """Moves time 0 to the title's first frame.

    - `container` (read with -copyts): the scan knows the first frame's time, which is subtracted.
    - `mended` (always read from the start): ffmpeg's STARTPTS is the first frame's time.
    - `counted`: the frame's number divided by the frame rate.
    - A film's only picture is at 0, whatever its time. Its end is at 1 s: `fps` drops a picture that ends where it begins.
    """
    if video.single_picture:
        return [Filter("setpts", {"expr": "N/TB"})]
    times = {
        "container": f"PTS-round({video.start_seconds!r}/TB)",
        "mended": "PTS-STARTPTS",
        "counted": f"N/({video.frame_rate})/TB",
    }
    return [Filter("setpts", {"expr": times[video.clock]})]


def _deinterlace(video: VideoStream) -> list[Filter]:
    """Makes one frame out of two fields. Frames without the interlaced flag pass untouched."""
    return (
        [Filter("bwdif", {"mode": "send_frame", "parity": "auto", "deint": "interlaced"})] if video.interlaced else []
    )


def _held_frames(video: VideoStream, rate: Fraction) -> int:
    """Frames of the grid for which the last picture is repeated beyond its stored time; 0 for a film that moves."""
    seconds = max(video.held_seconds, video.duration_seconds if video.single_picture else 0.0)
    return math.ceil(seconds * rate)


def _frame_grid(rate: Fraction, held_frames: int) -> list[Filter]:
    """Puts the frames on a constant-rate grid that starts at time 0, and cuts out the chunk's frames.

    - `fps` numbers frames by their time alone: every run that starts decoding before `{start}` sees the same frames there.
      `eof_action=pass` keeps the last frame, however short it is: a film shorter than half a frame would else have none.
    - `tpad` repeats the last frame for `held_frames`. It repeats it up to twice more, because rounding may leave the count
      short by that much at the end of a film. If more frames are missing, the count of the result shows it, and the chunk fails.
    """
    return [
        Filter("fps", {"fps": str(rate), "round": "near", "eof_action": "pass"}),
        Filter("tpad", {"stop": str(2 + held_frames), "stop_mode": "clone"}),
        Filter("trim", {"start_pts": "{start}", "end_pts": "{end}"}),
        Filter("setpts", {"expr": "PTS-{start}"}),
    ]


def _colour_and_size(video: VideoStream, rate: Fraction, width: int, height: int, pixels: str) -> list[Filter]:
    """Scales to the top rung's size and converts to `pixels` (4:2:0, 8 or 10 bit), limited range, each light by its own way."""
    usual, *others = by_light(video, rate)
    chain = _converted(usual.video, width, height, pixels)
    for other in others:
        chain = choice(chain, _converted(other.video, width, height, pixels), other.when)
    return chain


def _converted(video: VideoStream, width: int, height: int, pixels: str) -> list[Filter]:
    """The way of one light. HDR is tone-mapped to BT.709 after the scaling, because fewer pixels are left by then."""
    size = {"w": str(width), "h": str(height)}
    output = [Filter("format", {"pix_fmts": pixels}), Filter("setsar", {"sar": "1"})]
    if video.hdr:
        return [
            Filter(
                "zscale",
                {
                    **size,
                    **_input_colours(video),
                    **_linear_light("{}"),
                    "npl": str(_REFERENCE_WHITE_NITS),
                    # The approximation applies HLG's display gamma to each channel: colours become too strong.
                    **({"agamma": "0"} if video.color_transfer == "arib-std-b67" else {}),
                },
            ),
            Filter("format", {"pix_fmts": "gbrpf32le"}),
            Filter("tonemap", _TONE_CURVE),
            Filter("zscale", {**_linear_light("{}in"), "t": "bt709", "p": "bt709", "m": "bt709", "r": "tv"}),
            *output,
        ]
    if _keeps_colours(video):
        ranges = {"in_range": "pc", "out_range": "tv"} if video.full_range else {}
        return [Filter("scale", {**size, **ranges}), *output]
    if is_rgb(video.pixel_format) and not video.lights and not is_wide(video.color_primaries):
        return [Filter("scale", {**size, "out_color_matrix": "bt709", "out_range": "tv"}), *output]
    return [Filter("zscale", {**size, **_input_colours(video), "p": "709", "t": "709", "m": "709", "r": "tv"}), *output]


_TONE_CURVE: Final = {
    "tonemap": "mobius",
    "param": str(_KNEE),
    # Without it, the filter believes the file's MaxCLL, which is often 0 or 10,000.
    "peak": f"{_PEAK_NITS / _REFERENCE_WHITE_NITS:.4f}",
    # Red, green and blue are multiplied by the same factor: the hue stays.
    "desat": "0",
}
"""In SDR of 0 to 255: 203 cd/m2 becomes 228, 600 becomes 250, 1,000 becomes 255."""


def _keeps_colours(video: VideoStream) -> bool:
    """Whether the samples stay in the source's own matrix, without a conversion of colours."""
    usual = video.color_space in {None, *_KEPT_MATRICES} and not is_rgb(video.pixel_format)
    return usual and not video.hdr and not video.lights and not is_wide(video.color_primaries)


def _linear_light(option: str) -> dict[str, str]:
    """zscale's options for linear light in BT.709's primaries, in which HDR is tone-mapped."""
    return {
        option.format("t"): "linear",
        option.format("p"): "bt709",
        option.format("m"): "gbr",
        option.format("r"): "pc",
    }


def _input_colours(video: VideoStream) -> dict[str, str]:
    """zscale's options for the input's colours: zscale refuses an input with a missing or unknown name."""
    matrix, transfer, primaries, _ = believed(video)
    full = video.full_range or (matrix == "gbr" and video.color_range is None)
    return {"tin": transfer, "pin": primaries, "min": matrix, "rin": "pc" if full else "tv"}


def _rotate_upright(video: VideoStream) -> list[Filter]:
    return TURNS.get((video.rotation, video.mirrored), [])


def output_matrix(video: VideoStream) -> str:
    """The YUV matrix of all renditions: the source's own where players know it, else BT.709."""
    if not _keeps_colours(video):
        return "bt709"
    if video.color_space is not None:
        return _KEPT_MATRICES[video.color_space]
    lines = min(video.width, video.height)
    if lines > _SD_LINES or max(video.width, video.height) > 1024:
        return "bt709"
    return "bt470bg" if video.height in {576, 288} else "smpte170m"


def _colour_tags(video: VideoStream) -> list[Filter]:
    """Tags every rendition with its colours. Without tags, players take a small rung of an HD film for BT.601."""
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


_SAFE_NAME: Final = re.compile(r"[0-9a-z]+")


def colour_name(name: str | None) -> str | None:
    """A colour property as ffmpeg prints it; None where ffmpeg prints that it is unknown.

    Only letters, digits and hyphens pass: the name becomes part of a command.
    """
    if (
        name is None
        or name in {"unknown", "unspecified", "reserved", "N/A"}
        or not _SAFE_NAME.fullmatch(name.replace("-", ""))
    ):
        return None
    return name
