"""AV1 by SVT-AV1, through ffmpeg's libsvtav1, Main profile, 10 bit by default."""

from typing import Final

from marquee.documents import EncodingSettings, Rung

OPTIONS_VERSION: Final = 1
_SECONDS_PER_FRAME: Final = 10.0
_SLOW_PRESET: Final = 4
_SLOW_SECONDS_PER_FRAME: Final = 120.0
"""Presets below 4 take tens of times the cpu of 8."""


def seconds_per_frame(settings: EncodingSettings) -> float:
    return _SLOW_SECONDS_PER_FRAME if int(settings.preset) < _SLOW_PRESET else _SECONDS_PER_FRAME


def options(rung: Rung, settings: EncodingSettings, threads: int) -> dict[str, str | int]:
    """The encoder's options for one rung. A change of them changes bytes: raise `OPTIONS_VERSION` with it."""
    parameters = {
        # Key frames, not forward key frames: GOPs of one fixed length, each decodable alone, on every rung at the same frame.
        "irefresh-type": 2,
        # No key frames at scene cuts: they would not be on the grid.
        "scd": 0,
        # The level is the rung's own: CODECS names it.
        "level": rung.level,
        # Bounds threads and memory: by default SVT-AV1 takes all cores, and memory for each.
        "lp": threads,
        # Grain that the decoder adds. Off unless the profile asks: VMAF and old decoders judge it wrong.
        "film-grain": settings.film_grain,
    }
    return {
        "c:v": "libsvtav1",
        "preset": settings.preset,
        # Constant quality below a maximum rate (capped CRF).
        "crf": settings.crf if rung.crf is None else rung.crf,
        "maxrate": rung.max_bitrate_bps,
        "bufsize": rung.buffer_bits,
        "g": settings.gop_frames,
        "pix_fmt": "yuv420p10le" if rung.bit_depth == 10 else "yuv420p",
        "svtav1-params": ":".join(f"{name}={value}" for name, value in parameters.items()),
    }
