"""The encoders, one a codec: each turns a rung into ffmpeg's options, with the reason of every flag above it. Pure.

All chunks of a rung get the same options, so their parameter sets are equal and `join` needs no second encode. Every GOP is
closed, has the length that the settings say, and starts with a key frame: segments are cut there, the same for every rung.
One thread an encoder by default: the result then does not depend on the machine. `transcode` runs what is made here.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from marquee.documents import Codec, EncodingSettings, Rung
from marquee.media.encode.encoders import svtav1, x264, x265
from marquee.media.encode.join import video_timescale

Options = dict[str, str | int]


class Encoder(NamedTuple):
    """The codec's name for people, ffmpeg's name of the library, a rung's options, and the seconds that a frame in all rungs may
    take on a loaded machine."""

    name: str
    library: str
    options: Callable[[Rung, EncodingSettings, int], Options]
    seconds_per_frame: Callable[[EncodingSettings], float]
    options_version: int
    """Raised with every change of this encoder's options: its chunks from before the change are not reused, others are."""


ENCODERS: Final[Mapping[Codec, Encoder]] = {
    "h264": Encoder("H.264", "libx264", x264.options, x264.seconds_per_frame, x264.OPTIONS_VERSION),
    "hevc": Encoder("HEVC", "libx265", x265.options, x265.seconds_per_frame, x265.OPTIONS_VERSION),
    "av1": Encoder("AV1", "libsvtav1", svtav1.options, svtav1.seconds_per_frame, svtav1.OPTIONS_VERSION),
}


def rung_options(rung: Rung, settings: EncodingSettings, threads: int) -> Options:
    """Encoder and muxer options of one rung."""
    rate = Fraction(settings.frame_rate)
    return {
        **ENCODERS[rung.codec].options(rung, settings, threads),
        "fps_mode": "passthrough",
        "enc_time_base": f"{rate.denominator}:{rate.numerator}",
        # A frame lasts whole ticks: durations add up exactly over hours.
        "video_track_timescale": video_timescale(rate),
        "map_metadata": -1,
        "map_chapters": -1,
        "format": "mp4",
    }
