"""Builders of odd and hostile test films, made by ffmpeg and by changing bytes. Each film carries its expected outcome.

Every picture is `testsrc2` (no symmetry, many colours) with a white bar that moves from left to right along the bottom in two
seconds. Every sound beeps at each whole second of the film. So each frame tells its own time, and the sound's position can be
compared with it. `pattern` reads both back from the finished title. The modules `odd_*` list the films.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.harness.media.packaging import ffmpeg

BAR_SECONDS = 2.0
SIZE = (320, 180)
SECONDS = 4


class ExpectedTitle(NamedTuple):
    """The title that a film must become. What is 0, None or empty is not checked.

    - `width`, `height`: of the top rendition, in pixels. `seconds`: the title's length. `frames_at`: its frame rate.
    - `audio`: at least this many audio renditions. `texts`: exactly this many text tracks.
    - `clock`: the bar must tell the right time in every frame. `beeps`: the sound must be in step with the picture.
    - `offset`: seconds added to the master's times, for a film that begins later in the pattern.
    - `note`: a text that the title's notes must contain. `stream`: the picture stream, as ffmpeg's stream specifier.
    """

    width: int = SIZE[0]
    height: int = SIZE[1]
    seconds: float | None = float(SECONDS)
    frames_at: str = ""
    audio: int | None = None
    texts: int = 0
    clock: bool = True
    beeps: bool = False
    offset: float = 0.0
    note: str = ""
    stream: str = "V:0"
    master: tuple[str, ...] = ()
    """ffmpeg input options with which ffmpeg shows the master correctly."""
    looks_like_master: bool = True
    """Whether the title must look like the master as ffmpeg shows it."""


class OddFilm(NamedTuple):
    """A test film: `make` writes it to a path. `soak`: only in long test runs."""

    name: str
    make: Callable[[Path], Awaitable[None]]
    outcome: ExpectedTitle | str
    """The title that it must become, or a regular expression that the reason of its refusal must match."""
    soak: bool = False


def picture(size: tuple[int, int] = SIZE, rate: str = "25", seconds: float = SECONDS) -> str:
    """A lavfi graph of the pattern: `testsrc2` with the bar at the bottom. `size` in pixels."""
    width, height = size
    bar, top = max(1, width // 8), height - max(1, height // 8)
    return (
        f"testsrc2=size={width}x{height}:rate={rate}:duration={seconds},"
        f"drawbox=y={top}:h={height - top}:color=black:t=fill[b];"
        f"color=white:size={bar}x{max(1, height - top)}:rate={rate}:duration={seconds}[w];"
        f"[b][w]overlay=x='mod(t,{BAR_SECONDS})/{BAR_SECONDS}*{width - bar}':y={top}:format=rgb:shortest=1"
    )


def sound(
    seconds: float = SECONDS, *, rate: int = 48_000, channels: int = 1, layout: str = "", after: float = 0.0
) -> tuple[str, ...]:
    """ffmpeg options of an input of `seconds` of sound, which starts `after` seconds after the picture.

    It beeps for 100 ms at every whole second of the film.
    """
    beep = f"0.5*sin(2*PI*1000*t)*lt(mod(t+{after + 10}\\,1)\\,0.1)"
    placed = f":c={layout}" if layout else ""
    graph = f"aevalsrc={'|'.join([beep] * channels)}:s={rate}:d={seconds}{placed}"
    return (*(("-itsoffset", f"{after}") if after else ()), "-f", "lavfi", "-i", graph)


X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
AAC = ("-c:a", "aac")


def film(
    name: str,
    outcome: ExpectedTitle | str,
    *options: str,
    size: tuple[int, int] = SIZE,
    rate: str = "25",
    seconds: float = SECONDS,
    codec: Sequence[str] = X264,
    sound_input: Sequence[str] = (),
    soak: bool = False,
) -> OddFilm:
    """A film of the pattern, made by one ffmpeg command. `sound_input` are the options of a sound input, such as `sound()`."""

    async def make(path: Path) -> None:
        await ffmpeg("-f", "lavfi", "-i", picture(size, rate, seconds), *sound_input, *codec, *options, path)

    return OddFilm(name, make, outcome, soak)


def remade(
    name: str, outcome: ExpectedTitle | str, first: OddFilm, change: Callable[[bytes], bytes], *, soak: bool = False
) -> OddFilm:
    """The film `first` with its bytes changed by `change`."""

    async def make(path: Path) -> None:
        whole = path.with_name("whole-" + first.name)
        await first.make(whole)
        path.write_bytes(change(whole.read_bytes()))

    return OddFilm(name, make, outcome, soak)


def copied(
    name: str,
    outcome: ExpectedTitle | str,
    first: OddFilm,
    *options: str,
    inputs: Sequence[str] = (),
    soak: bool = False,
) -> OddFilm:
    """The film `first` in another container or with another header. Nothing is encoded again. `inputs` are input options."""

    async def make(path: Path) -> None:
        whole = path.with_name("whole-" + first.name)
        await first.make(whole)
        await ffmpeg(*inputs, "-i", whole, "-map", "0", "-c", "copy", *options, path)

    return OddFilm(name, make, outcome, soak)


def joined(name: str, outcome: ExpectedTitle | str, *parts: Sequence[str], soak: bool = False) -> OddFilm:
    """One file of several films, concatenated byte by byte; each of `parts` is the ffmpeg options of one film.

    The clock of each film continues that of the film before it.
    """

    async def make(path: Path) -> None:
        whole = b""
        for number, options in enumerate(parts):
            part = path.with_name(f"part-{number}{path.suffix}")
            await ffmpeg(*options, "-output_ts_offset", str(SECONDS * number), "-muxdelay", "0", part)
            whole += part.read_bytes()
        path.write_bytes(whole)

    return OddFilm(name, make, outcome, soak)


def written(name: str, reason: str, content: bytes, *, soak: bool = False) -> OddFilm:
    """A file of these bytes, which must be refused for `reason`."""

    async def make(path: Path) -> None:
        path.write_bytes(content)

    return OddFilm(name, make, reason, soak)
