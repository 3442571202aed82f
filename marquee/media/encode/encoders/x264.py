"""H.264 by x264, through ffmpeg's libx264."""

from typing import Final

from marquee.documents import EncodingSettings, Rung

OPTIONS_VERSION: Final = 1
_SECONDS_PER_FRAME: Final = 3.0


def seconds_per_frame(settings: EncodingSettings) -> float:  # noqa: ARG001 - the same for every preset
    return _SECONDS_PER_FRAME


def options(rung: Rung, settings: EncodingSettings, threads: int) -> dict[str, str | int]:
    """The encoder's options for one rung. A change of them changes bytes: raise `OPTIONS_VERSION` with it."""
    gop = settings.gop_frames
    return {
        "c:v": "libx264",
        "preset": settings.preset,
        "profile:v": rung.profile,
        "level:v": rung.level,
        # Constant quality below a maximum rate (VBV). With an average rate each chunk would start by guessing.
        "crf": settings.crf if rung.crf is None else rung.crf,
        "maxrate": rung.max_bitrate_bps,
        "bufsize": rung.buffer_bits,
        # GOPs of one fixed length, each decodable alone: segments are cut at their starts, on every rung at the same frame.
        "g": gop,
        "keyint_min": gop,
        "sc_threshold": 0,
        "flags:v": "+cgop",
        "x264-params": "open-gop=0:force-cfr=1",
        # The source's captions (CEA-608, CEA-708) became text tracks: left in, they cost small rungs a tenth of their bits,
        # and the manifests say that there are none.
        "a53cc": 0,
        "threads:v": threads,
    }
