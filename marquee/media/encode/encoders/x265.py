"""HEVC by x265, through ffmpeg's libx265, as `hvc1`: Apple's devices play no `hev1`."""

from typing import Final

from marquee.documents import EncodingSettings, Rung

OPTIONS_VERSION: Final = 1
_SECONDS_PER_FRAME: Final = 10.0


def seconds_per_frame(settings: EncodingSettings) -> float:  # noqa: ARG001 - the same for every preset
    return _SECONDS_PER_FRAME


def options(rung: Rung, settings: EncodingSettings, threads: int) -> dict[str, str | int]:
    """The encoder's options for one rung. A change of them changes bytes: raise `OPTIONS_VERSION` with it."""
    gop = settings.gop_frames
    parameters = {
        # GOPs of one fixed length, each decodable alone (IDR, not CRA), on every rung at the same frame.
        "keyint": gop,
        "min-keyint": gop,
        "scenecut": 0,
        "open-gop": 0,
        # The level is the rung's own, and its bits are those of the main tier.
        "level-idc": rung.level,
        "high-tier": 0,
        # Parameter sets stand in the sample entry alone: `hvc1` forbids them in the samples.
        "repeat-headers": 0,
        # No SEI with the encoder's options: it would be part of the sample entry.
        "info": 0,
        # One thread a job, by its own pool; more frames at once would make the result depend on the machine.
        "pools": threads,
        "frame-threads": 1,
        "log-level": "error",
    }
    return {
        "c:v": "libx265",
        "preset": settings.preset,
        "profile:v": rung.profile,
        # Constant quality below a maximum rate (VBV), as H.264.
        "crf": settings.crf if rung.crf is None else rung.crf,
        "maxrate": rung.max_bitrate_bps,
        "bufsize": rung.buffer_bits,
        "g": gop,
        "pix_fmt": "yuv420p10le" if rung.bit_depth == 10 else "yuv420p",
        # The source's captions became text tracks.
        "a53cc": 0,
        "x265-params": ":".join(f"{name}={value}" for name, value in parameters.items()),
        "tag:v": "hvc1",
    }
