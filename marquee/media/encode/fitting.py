"""Fits a picture that changes midway into the title's one frame, with black bars: nothing is squeezed, stretched or cut.

The title's frame is the stored size and shape of pixels that are shown longest (`VideoStream.width`, `height`,
`sample_aspect_ratio`). Every other picture keeps its proportions and is scaled as large as the frame holds. Its pixel format,
range and matrix become the title's. The filters decide by each decoded frame: the picture may change at any frame, as often as
it likes. A shape of pixels that a header alone changes is not told by the decoder's frames: it is an expression of the title's
time, made from `VideoStream.stretches`.
A picture that is turned midway (`VideoStream.turns`) is fitted in the frame's upright shape, and turned into place.
The filters stand first in the chain: what follows sees one kind of picture. `filters.picture_chain` puts them there. Pure.
"""

from collections import defaultdict
from fractions import Fraction
from itertools import zip_longest
from typing import Final

from marquee.documents import VideoStream
from marquee.media.encode.colours import is_rgb
from marquee.media.encode.filter_text import Filter, choice

_MIN_BARS: Final = 0.01
"""Thinner bars (a share of the frame) are left out: 1088 coded lines for 1080 are no other shape."""
SCALED_MATRICES: Final = {"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc"}
"""The matrices that ffmpeg's `scale` can write."""
_EXACT: Final = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""Without the last three, a patch of colour is up to 5 of 255 off after a change of matrix; with them, 2."""
_HFLIP: Final = Filter("hflip", {})
_VFLIP: Final = Filter("vflip", {})
TURNS: Final[dict[tuple[int, bool], list[Filter]]] = {
    (90, False): [Filter("transpose", {"dir": "clock"})],
    (180, False): [_HFLIP, _VFLIP],
    (270, False): [Filter("transpose", {"dir": "cclock"})],
    (0, True): [_HFLIP],
    (90, True): [Filter("transpose", {"dir": "clock_flip"})],
    (180, True): [_VFLIP],
    (270, True): [Filter("transpose", {"dir": "cclock_flip"})],
}
"""By (`rotation`, `mirrored`). Mirroring and then turning clockwise is a reflection in the other diagonal."""
_UNSCALABLE_FORMATS: Final = ("pal8", "bayer", "mono")
"""Formats that `scale` reads and does not write."""


def fit(video: VideoStream) -> list[Filter]:
    """The filters that give every frame the title's size, shape, format, range and matrix; none if nothing changes midway.

    A frame whose rotation is not the title's is turned by the difference here. The end of the chain turns all frames alike.
    """
    if not video.format_changes and not video.turns:
        return []
    frame = Fraction(video.sample_aspect_ratio) * video.width / video.height
    chain = _into_frame(video, video.width, video.height, frame)
    times: dict[int, list[str]] = defaultdict(list)
    for one, following in zip_longest(video.turns, video.turns[1:]):
        end = f"lt(t,{following.start_seconds:.6f})" if following else "1"
        times[(one.rotation - video.rotation) % 360].append(f"gte(t,{one.start_seconds:.6f})*{end}")
    for degrees, when in sorted(times.items()):
        if degrees:
            fitted = (
                _into_frame(video, video.height, video.width, 1 / frame)
                if degrees in {90, 270}
                else _into_frame(video, video.width, video.height, frame)
            )
            chain = choice(chain, [*fitted, *TURNS[degrees, False]], "+".join(when))
    return chain


def _into_frame(video: VideoStream, into_width: int, into_height: int, frame: Fraction) -> list[Filter]:
    """The filters that fit every frame into `into_width` x `into_height` pixels, shown `frame` times as wide as high."""
    shape = f"st(0,iw*({_pixel_aspect(video)})/ih/{float(frame)!r})"
    # Lines of both fields lie on even places of the chroma planes: an interlaced picture is placed by multiples of four.
    lines = 4 if video.interlaced else 2
    width = f"if(lt({shape},{1 - _MIN_BARS}),max(2,2*round({into_width}*ld(0)/2)),{into_width})"
    height = f"if(gt({shape},{1 + _MIN_BARS}),max({lines},{lines}*round({into_height}/ld(0)/{lines})),{into_height})"
    scale = {"w": width, "h": height, "eval": "frame", "flags": _EXACT, **_colours(video)}
    if video.interlaced:
        # Field by field where a frame says that it is interlaced.
        scale["interl"] = "-1"
    place = {"x": "trunc((ow-iw)/4)*2", "y": f"trunc((oh-ih)/{2 * lines})*{lines}", "eval": "frame", "color": "black"}
    return [
        Filter("scale", scale),
        Filter(
            "format",
            {"pix_fmts": "rgb24" if video.pixel_format.startswith(_UNSCALABLE_FORMATS) else video.pixel_format},
        ),
        Filter("pad", {"w": str(into_width), "h": str(into_height), **place}),
    ]


def _pixel_aspect(video: VideoStream) -> str:
    """Width by height of a pixel, as an expression: by the decoded frame itself, or by the title's time."""
    if not video.stretches:
        return "if(between(sar,0.1,10),sar,1)"
    usual = Fraction(video.sample_aspect_ratio)
    times: dict[Fraction, list[str]] = defaultdict(list)
    for one in video.stretches:
        times[Fraction(one.sample_aspect_ratio)].append(f"between(t,{one.start_seconds:.6f},{one.end_seconds:.6f})")
    others = (f"{float(aspect - usual)!r}*({'+'.join(when)})" for aspect, when in times.items() if aspect != usual)
    return "+".join([repr(float(usual)), *others])


def _colours(video: VideoStream) -> dict[str, str]:
    """The range and matrix that every frame gets. Each frame's own tags say what it has."""
    found = {"out_range": "pc" if video.full_range else "tv"}
    if video.color_space in SCALED_MATRICES and not is_rgb(video.pixel_format):
        found["out_color_matrix"] = "bt2020" if video.color_space == "bt2020nc" else video.color_space
    return found
