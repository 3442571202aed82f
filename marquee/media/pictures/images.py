"""Makes a title's stills: the poster, the backdrop (`backdrop`), and the sprite sheets with their index for scrubbing.

Reads a finished rendition, which is already upright, square-pixelled and tone-mapped. Only its key frames (every 2 s) are
decoded, once, at thumbnail size. Writes `poster-640x360.jpg` and one of half the size for small screens, `sprite.jpg`
(`sprite-2.jpg`... for long films) and `sprite.vtt`, whose cues name a tile as `sprite.jpg#xywh=...`. The poster is the key
frame with the best `poster_score`: not dark, flat or washed out; sharp, colourful, and not from the opening or the credits.
Next: the stage `images` stores the files.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from marquee.documents import keys
from marquee.domain.ladder import even, even_within
from marquee.media.pictures.backdrop import make_backdrop
from marquee.media.pictures.thumbnails import SHEET_TILES, on_grid, sheet_grid
from marquee.media.programs import binaries, process

TILE_WIDTH: Final = 160
MAX_TILE_HEIGHT: Final = 400
"""The upright picture of a telephone has 356 lines. The bound keeps a sheet of ten rows far below a JPEG's 65,535 lines."""
POSTER_EDGE: Final = 640
"""The poster's longer edge in pixels: the widest card has 304, on a screen of two to one. Whole pages show the backdrop."""
MAX_POSTER_BYTES: Final = 60_000
"""A first screen shows a dozen posters: at 1.6 Mbit/s this is 3.6 s of line at worst."""
MAX_SMALL_POSTER_BYTES: Final = 20_000
"""The poster of half the size, for cards on a telephone."""

Pixels = npt.NDArray[np.uint8]


class ImagesMade(msgspec.Struct, frozen=True, kw_only=True):
    """Poster, sprite sheets and their index, as files."""

    poster: Path
    small_poster: Path
    sprite: Path
    """The first sheet."""
    sprite_vtt: Path
    sprites: list[Path]
    """Every sheet, in order of time."""
    poster_seconds: float
    poster_is_poor: bool
    """Whether no frame scores above 0: the film is black, white or flat throughout."""
    backdrop: list[tuple[Path, int, int]]
    """Its sizes, the smallest first: file, width, height. Empty if the film has no frame for it."""
    backdrop_seconds: float | None
    tiles: int
    tile_seconds: float
    tile_width: int
    tile_height: int
    cpu_seconds: float


def tile_seconds(duration_seconds: float) -> float:
    """Seconds between tiles: 2 (every key frame) for films up to 200 s, 4 up to 20 minutes, then 10 or more (1,000 tiles)."""
    if duration_seconds <= 200:
        return 2.0
    return max(4.0 if duration_seconds <= 1200 else 10.0, math.ceil(duration_seconds / 1000))


def tile_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of a tile: the shape of the picture, within `TILE_WIDTH` x `MAX_TILE_HEIGHT`, in even numbers."""
    scale = min(TILE_WIDTH / width, MAX_TILE_HEIGHT / height)
    return even(width * scale), even(height * scale)


def keyframe_arguments(rendition: Path, every_seconds: float, width: int, height: int) -> list[str]:
    """The command that writes raw RGB thumbnails to stdout: the first key frame of every interval of `every_seconds`.

    A frame is chosen by the number of its interval, because a tile's position on the sheets stands for its time.
    """
    interval = f"floor((t+0.05)/{every_seconds:g})"
    pick = f"select='isnan(prev_selected_t)+gt({interval},floor((prev_selected_t+0.05)/{every_seconds:g}))'"
    return [
        str(binaries.picture_ffmpeg()),
        *("-hide_banner", "-nostdin", "-v", "info", "-protocol_whitelist", "file"),
        *("-skip_frame", "nokey", "-i", str(rendition), "-an", "-sn", "-dn"),
        *("-vf", f"{pick},scale={width}:{height}:flags=area,showinfo=checksum=0", "-fps_mode", "passthrough"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
    ]


def _append_frame_time(line: str, into: list[float]) -> None:
    """Append the frame's time in seconds if `line` is one of `showinfo`'s."""
    if "Parsed_showinfo" in line and (at := line.find("pts_time:")) >= 0:
        into.append(float(line[at + len("pts_time:") :].split(None, 1)[0]))


async def _thumbnails(
    rendition: Path, every_seconds: float, width: int, height: int, duration_seconds: float
) -> tuple[Pixels, list[float], float]:
    """(frames x height x width x RGB, the frames' times in seconds, CPU seconds)."""
    times: list[float] = []
    finished = await process.run(
        keyframe_arguments(rendition, every_seconds, width, height),
        timeout_seconds=120 + duration_seconds,
        on_stderr_line=lambda line: _append_frame_time(line, times),
    )
    size = width * height * 3
    count = min(len(times), len(finished.stdout) // size)
    frames = np.frombuffer(finished.stdout[: count * size], dtype=np.uint8).reshape(count, height, width, 3)
    return frames, times[:count], finished.cpu_seconds


def poster_score(frame: Pixels) -> float:
    """How suitable a frame is as the poster, about 0 to 1; 0 for black, white and flat frames. `frame` is height x width x RGB.

    Half contrast x exposure, 30 % colourfulness (Hasler and Suesstrunk, 2003), 20 % fine detail.
    """
    rgb = frame.astype(np.float32)
    luma = rgb @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    mean, contrast = float(luma.mean()), float(luma.std())
    if mean < 24 or mean > 232 or contrast < 10:
        return 0.0
    red_green = rgb[..., 0] - rgb[..., 1]
    yellow_blue = (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    spread = math.hypot(float(red_green.std()), float(yellow_blue.std()))
    colour = spread + 0.3 * math.hypot(float(red_green.mean()), float(yellow_blue.mean()))
    detail = float(np.abs(np.diff(luma, axis=1)).mean()) + float(np.abs(np.diff(luma, axis=0)).mean())
    exposure = 1 - abs(mean - 118) / 118
    return min(contrast / 64, 1) * exposure * 0.5 + min(colour / 90, 1) * 0.3 + min(detail / 24, 1) * 0.2


def placed_scores(frames: Pixels, times: Sequence[float], duration_seconds: float) -> list[float]:
    """The score of every frame. Frames in the first 4 % and last 15 % (logos, credits) count half."""
    scores = []
    for index, seconds in enumerate(times):
        middle = 0.04 * duration_seconds <= seconds <= 0.85 * duration_seconds
        scores.append(poster_score(frames[index]) * (1.0 if middle else 0.5))
    return scores


def sheets(frames: Pixels) -> list[Pixels]:
    """The tiles on sheets of one size, at most ten by ten, row by row. What is left of the last sheet is black."""
    made = []
    count, height, width, _ = frames.shape
    columns, rows = sheet_grid(count)
    for first in range(0, count, SHEET_TILES):
        part = frames[first : first + SHEET_TILES]
        sheet = np.zeros((rows * height, columns * width, 3), dtype=np.uint8)
        for index, tile in enumerate(part):
            top, left = index // columns * height, index % columns * width
            sheet[top : top + height, left : left + width] = tile
        made.append(sheet)
    return made


def sprite_vtt(times: Sequence[float], duration_seconds: float, names: Sequence[str], width: int, height: int) -> str:
    """The index as WebVTT: for each tile's interval, the sheet and the rectangle in it (Media Fragments 4.2.2).

    `names` are the sheets' file names, `width` and `height` a tile's pixels.
    """
    blocks = ["WEBVTT"]
    for index, start in enumerate(times):
        end = times[index + 1] if index + 1 < len(times) else duration_seconds
        if end <= start:
            continue
        in_sheet = index % SHEET_TILES
        columns, _ = sheet_grid(len(times))
        left, top = in_sheet % columns * width, in_sheet // columns * height
        name = names[index // SHEET_TILES]
        blocks.append(f"{_clock(start)} --> {_clock(end)}\n{name}#xywh={left},{top},{width},{height}")
    return "\n\n".join(blocks) + "\n"


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"


async def _write_jpeg(pixels: Pixels, out: Path, quality: int) -> float:
    """Write a JPEG; `quality` is ffmpeg's scale, 2 (best) to 31. Returns CPU seconds."""
    height, width, _ = pixels.shape
    finished = await process.run(
        [
            str(binaries.ffmpeg()),
            *("-hide_banner", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
            *("-s", f"{width}x{height}", "-i", "pipe:0", "-frames:v", "1"),
            *("-pix_fmt", "yuvj420p", "-q:v", str(quality), "-f", "image2", "-update", "1", str(out)),
        ],
        timeout_seconds=60,
        input=pixels.tobytes(),
    )
    return finished.cpu_seconds


def poster_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the poster: the shape of the picture, `POSTER_EDGE` at most, never scaled up, in even numbers."""
    scale = min(1.0, POSTER_EDGE / max(width, height))
    return even_within(width * scale), even_within(height * scale)


async def _write_poster(rendition: Path, at_seconds: float, out: Path, size: tuple[int, int], max_bytes: int) -> float:
    """Write the key frame at `at_seconds` in this size. Returns CPU seconds.

    Quality falls step by step until the file has at most `max_bytes`.
    """
    cpu_seconds = 0.0
    width, height = size
    for quality in (3, 5, 8, 12, 18, 26):
        finished = await process.run(
            [
                str(binaries.picture_ffmpeg()),
                *("-hide_banner", "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file"),
                *("-ss", f"{max(0.0, at_seconds - 0.001):.6f}", "-i", str(rendition), "-frames:v", "1"),
                *(
                    "-vf",
                    f"scale={width}:{height}:flags=lanczos,setsar=1",
                    "-pix_fmt",
                    "yuvj420p",
                    "-q:v",
                    str(quality),
                ),
                *("-f", "image2", "-update", "1", str(out)),
            ],
            timeout_seconds=120,
        )
        cpu_seconds += finished.cpu_seconds
        if out.stat().st_size <= max_bytes:
            break
    return cpu_seconds


async def make_images(
    rendition_path: Path,
    folder: Path,
    *,
    duration_seconds: float,
    width: int,
    height: int,
    preview_path: Path | None = None,
) -> ImagesMade:
    """Make poster, backdrop, sprite sheets and index in `folder`.

    Poster and backdrop are cut from `rendition_path`, the best rendition, of `width` x `height` pixels. The tiles come from
    `preview_path`, the smallest rendition, whose key frames are cheaper to decode (None: the best one again).
    Raises `ProcessFailed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    every = tile_seconds(duration_seconds)
    tile = tile_size(width, height)
    frames, times, cpu_seconds = await _thumbnails(preview_path or rendition_path, every, *tile, duration_seconds)
    whole = poster_size(width, height)
    half = whole[0] // 2, whole[1] // 2
    poster, small_poster = folder / keys.poster(*whole), folder / keys.poster(*half)
    scores = placed_scores(frames, times, duration_seconds)
    best = scores.index(max(scores))
    chosen = times[best]
    cpu_seconds += await _write_poster(rendition_path, chosen, poster, whole, MAX_POSTER_BYTES)
    cpu_seconds += await _write_poster(rendition_path, chosen, small_poster, half, MAX_SMALL_POSTER_BYTES)
    backdrop = await make_backdrop(
        rendition_path,
        folder,
        width=width,
        height=height,
        frames=frames,
        times=times,
        scores=scores,
        duration_seconds=duration_seconds,
        poster_seconds=chosen,
    )
    cpu_seconds += backdrop.cpu_seconds
    grid = on_grid(times, every, duration_seconds)
    made = sheets(frames if grid == list(range(len(times))) else frames[grid])
    paths = [folder / keys.sprite_sheet(number) for number in range(1, len(made) + 1)]
    for sheet, path in zip(made, paths, strict=True):
        cpu_seconds += await _write_jpeg(sheet, path, 5)
    index = folder / keys.SPRITE_INDEX
    shown = [0.0, *(max(times[frame], every * place) for place, frame in enumerate(grid[1:], start=1))]
    names = [path.name for path in paths]
    index.write_text(sprite_vtt(shown, duration_seconds, names, *tile))
    return ImagesMade(
        poster=poster,
        small_poster=small_poster,
        sprite=paths[0],
        sprite_vtt=index,
        sprites=paths,
        poster_seconds=chosen,
        poster_is_poor=scores[best] <= 0,
        backdrop=list(backdrop.files),
        backdrop_seconds=backdrop.seconds,
        tiles=len(grid),
        tile_seconds=every,
        tile_width=tile[0],
        tile_height=tile[1],
        cpu_seconds=cpu_seconds,
    )
