"""Makes a title's backdrop: the wide picture behind its name on the home page and on its own page, in several sizes.

Reads the scores of the key frames' thumbnails and the best rendition. The backdrop is a 16:9 part of one key frame: of a good
score, the sharpest of `CANDIDATES`, and away from the poster's moment where another frame is as good. Black bars in the film's
own picture are cut off. Writes `backdrop-{width}.jpg` of at most `WIDTHS`, never wider than the film. No files for a film
without a frame that is bright enough, and where ffmpeg cannot cut one: a film without a backdrop is still a film. Next: `images`
returns them with the poster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from marquee.documents import keys
from marquee.errors import ProcessFailed
from marquee.logs import get_logger
from marquee.media.programs import binaries, process

Pixels = npt.NDArray[np.uint8]

WIDTHS: Final = (640, 1280, 1920)
"""A telephone, a small and a large desktop window."""
WIDTH_STEP: Final = 32
"""Widths are multiples of it, so that 9/16 of a width is a whole, even number of lines."""
LEAST_WIDTH: Final = 160
WORTH_ANOTHER_SIZE: Final = 1.25
"""The film's own width is a size too if it is this many times the largest of `WIDTHS` that fits into it."""
CANDIDATES: Final = 3
AS_GOOD: Final = 0.75
"""A frame is a candidate with this share of the best score."""
AWAY_FROM_POSTER: Final = 0.05
"""As a share of the film: frames nearer to the poster's moment mostly show the same shot."""
BAR_LUMA: Final = 20
MAX_BAR: Final = 0.3
"""A bar takes at most this share of the picture at one edge: more is a dark scene."""

log = get_logger()


@dataclass(frozen=True)
class Backdrop:
    """The backdrop's files, the smallest first, each with its size, and the moment that they show."""

    files: Sequence[tuple[Path, int, int]]
    seconds: float | None
    cpu_seconds: float


@dataclass(frozen=True)
class Area:
    """A part of the picture in pixels: its size and its upper left corner. All numbers are even."""

    width: int
    height: int
    left: int
    top: int


def candidates(
    scores: Sequence[float], times: Sequence[float], duration_seconds: float, poster_seconds: float
) -> list[int]:
    """Indexes of frames that may be the backdrop, at most `CANDIDATES`, the best first. None if every score is 0.

    Each is of another moment. Frames near the poster's moment count only if no other is as good.
    """
    best = max(scores, default=0.0)
    if best <= 0:
        return []
    apart = AWAY_FROM_POSTER * duration_seconds
    good = sorted((index for index, score in enumerate(scores) if score >= AS_GOOD * best), key=lambda i: -scores[i])
    elsewhere = [index for index in good if abs(times[index] - poster_seconds) >= apart]
    chosen: list[int] = []
    for index in elsewhere or good:
        if all(abs(times[index] - times[other]) >= apart for other in chosen):
            chosen.append(index)
    return chosen[:CANDIDATES]


def bars(frames: Pixels) -> tuple[float, float, float, float]:
    """Shares of the picture that are black in every frame: above, below, left, right. `frames` is n x height x width x RGB.

    A bar of more than `MAX_BAR` is none.
    """
    brightest = frames.max(axis=(0, 3))  # height x width
    lines = np.percentile(brightest, 98, axis=1) > BAR_LUMA
    columns = np.percentile(brightest, 98, axis=0) > BAR_LUMA
    if not lines.any() or not columns.any():
        return 0.0, 0.0, 0.0, 0.0
    edges = (_dark(lines), _dark(lines[::-1]), _dark(columns), _dark(columns[::-1]))
    above, below, left, right = (share if share <= MAX_BAR else 0.0 for share in edges)
    return above, below, left, right


def _dark(lit: npt.NDArray[np.bool_]) -> float:
    """The share of lines before the first lit one, and one line more: a thumbnail mixes the bar's edge with the picture."""
    first = int(np.argmax(lit))
    return (first + 1) / len(lit) if first else 0.0


def wide_area(width: int, height: int, black: tuple[float, float, float, float]) -> Area:
    """The largest 16:9 part of a picture of `width` x `height` without its bars, from the middle.

    Of an upright picture a part above the middle: that is where heads are.
    """
    above, below, left, right = black
    inner_width, inner_height = width * (1 - left - right), height * (1 - above - below)
    wide = min(inner_width, inner_height * 16 / 9)
    tall = wide * 9 / 16
    down = (inner_height - tall) * (0.3 if inner_height > inner_width else 0.5)
    return Area(
        width=_even(wide),
        height=_even(tall),
        left=_even(width * left + (inner_width - wide) / 2),
        top=_even(height * above + down),
    )


def _even(pixels: float) -> int:
    return int(pixels) // 2 * 2


def sizes(area_width: int) -> list[int]:
    """The widths to make of a part of this width: those of `WIDTHS` that fit, and its own if that is worth it."""
    own = area_width // WIDTH_STEP * WIDTH_STEP
    fitting = [width for width in WIDTHS if width <= area_width]
    if own >= LEAST_WIDTH and own < WIDTHS[-1] and own >= WORTH_ANOTHER_SIZE * max(fitting, default=0):
        fitting.append(own)
    return fitting


def max_bytes(width: int, height: int) -> int:
    """A file's bound: 63 kB at 640 x 360, 132 kB at 1280 x 720, 247 kB at 1920 x 1080."""
    return 40_000 + width * height // 10


def sharpness(picture: Pixels) -> float:
    """Mean absolute Laplacian of the luma, compared only among frames of one film. `picture` is height x width x RGB."""
    luma = picture.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    inner = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    return float(np.abs(inner).mean())


async def make_backdrop(
    rendition: Path,
    folder: Path,
    *,
    width: int,
    height: int,
    frames: Pixels,
    times: Sequence[float],
    scores: Sequence[float],
    duration_seconds: float,
    poster_seconds: float,
) -> Backdrop:
    """Write the backdrop's files into `folder`. `frames`, `times` and `scores` are of the thumbnails.

    Without files if ffmpeg cannot cut or write them; the stage then notes `backdrop-left-out`. Raises `ProcessLost`.
    """
    chosen = candidates(scores, times, duration_seconds, poster_seconds)
    area = wide_area(width, height, bars(frames) if chosen else (0.0, 0.0, 0.0, 0.0))
    widths = sizes(area.width)
    if not chosen or not widths:
        return Backdrop((), None, 0.0)
    best: Pixels | None = None
    best_sharpness, seconds, cpu_seconds = -1.0, 0.0, 0.0
    for index in chosen:
        picture, cost = await _cut(rendition, times[index], area, widths[-1])
        cpu_seconds += cost
        if picture is not None and (found := sharpness(picture)) > best_sharpness:
            best, best_sharpness, seconds = picture, found, times[index]
    if best is None:
        return Backdrop((), None, cpu_seconds)
    files = []
    for wide in widths:
        path = folder / keys.backdrop(wide)
        try:
            cpu_seconds += await _write(best, wide, path)
        except ProcessFailed as reason:
            log.warning("backdrop not written", width=wide, reason=reason.detail)
            return Backdrop((), None, cpu_seconds)
        files.append((path, wide, wide * 9 // 16))
    return Backdrop(files, seconds, cpu_seconds)


async def _cut(rendition: Path, at_seconds: float, area: Area, width: int) -> tuple[Pixels | None, float]:
    """The `area` of the key frame at `at_seconds`, `width` pixels wide (None if ffmpeg gives none); and CPU seconds."""
    height = width * 9 // 16
    crop = f"crop={area.width}:{area.height}:{area.left}:{area.top}"
    try:
        finished = await process.run(
            [
                str(binaries.picture_ffmpeg()),
                *("-hide_banner", "-nostdin", "-v", "error", "-protocol_whitelist", "file"),
                *("-ss", f"{max(0.0, at_seconds - 0.001):.6f}", "-i", str(rendition), "-frames:v", "1"),
                *("-vf", f"{crop},scale={width}:{height}:flags=lanczos,setsar=1"),
                *("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
            ],
            timeout_seconds=120,
        )
    except ProcessFailed as reason:
        log.warning("backdrop not cut", at_seconds=at_seconds, reason=reason.detail)
        return None, 0.0
    if len(finished.stdout) != width * height * 3:
        # ffmpeg ends with 0 and without a picture where there is no frame at or after the moment.
        log.warning("backdrop not cut", at_seconds=at_seconds, reason=f"ffmpeg gave {len(finished.stdout)} bytes")
        return None, finished.cpu_seconds
    return np.frombuffer(finished.stdout, dtype=np.uint8).reshape(height, width, 3), finished.cpu_seconds


async def _write(picture: Pixels, width: int, out: Path) -> float:
    """Write one size. Quality falls step by step until the file has at most `max_bytes`. Returns CPU seconds."""
    whole_height, whole_width, _ = picture.shape
    height = width * 9 // 16
    cpu_seconds = 0.0
    for quality in (3, 5, 8, 12, 18, 26):
        finished = await process.run(
            [
                str(binaries.picture_ffmpeg()),
                *("-hide_banner", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
                *("-s", f"{whole_width}x{whole_height}", "-i", "pipe:0", "-frames:v", "1"),
                *("-vf", f"scale={width}:{height}:flags=lanczos", "-pix_fmt", "yuvj420p", "-q:v", str(quality)),
                *("-f", "image2", "-update", "1", str(out)),
            ],
            timeout_seconds=60,
            input=picture.tobytes(),
        )
        cpu_seconds += finished.cpu_seconds
        if out.stat().st_size <= max_bytes(width, height):
            break
    return cpu_seconds
