"""Odd and hostile films, made on the spot by ffmpeg and by cutting bytes: each with what must become of it.

Every picture is `testsrc2` (no symmetry, many colours) with a white bar that goes from left to right along the bottom in two
seconds, and every sound a beep at each whole second: so a frame tells its own time, and the sound can be held against it.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.harness.media.packaging import ffmpeg

BAR_SECONDS = 2.0
SIZE = (320, 180)
SECONDS = 4


class Shown(NamedTuple):
    """A film that must become a title. Zero or None: not told, so not looked at.

    `frames_at` is the title's frame rate; `clock` says that the bar tells the time of every frame, `beeps` that the sound is in
    step with it, `offset` what is added to the bar's time (a film that begins later in the pattern).
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
    """Input options with which ffmpeg shows the master as it is meant."""
    alike: bool = True
    """The master, shown by ffmpeg alone, looks like the title."""


class Odd(NamedTuple):
    name: str
    make: Callable[[Path], Awaitable[None]]
    outcome: Shown | str
    """A film, or a pattern for the reason of its refusal."""
    soak: bool = False


def picture(size: tuple[int, int] = SIZE, rate: str = "25", seconds: float = SECONDS) -> str:
    """A lavfi graph of the pattern."""
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
    """An input of beeps at every whole second of the film, whose first sample is `after` seconds after the picture's."""
    beep = f"0.5*sin(2*PI*1000*t)*lt(mod(t+{after + 10}\\,1)\\,0.1)"
    placed = f":c={layout}" if layout else ""
    graph = f"aevalsrc={'|'.join([beep] * channels)}:s={rate}:d={seconds}{placed}"
    return (*(("-itsoffset", f"{after}") if after else ()), "-f", "lavfi", "-i", graph)


X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
AAC = ("-c:a", "aac")


def film(
    name: str,
    outcome: Shown | str,
    *options: str,
    size: tuple[int, int] = SIZE,
    rate: str = "25",
    seconds: float = SECONDS,
    codec: Sequence[str] = X264,
    heard: Sequence[str] = (),
    soak: bool = False,
) -> Odd:
    """The pattern, with the input `heard` beside it if there is one, by one ffmpeg command."""

    async def make(path: Path) -> None:
        await ffmpeg("-f", "lavfi", "-i", picture(size, rate, seconds), *heard, *codec, *options, path)

    return Odd(name, make, outcome, soak)


def remade(name: str, outcome: Shown | str, first: Odd, change: Callable[[bytes], bytes], *, soak: bool = False) -> Odd:
    """Another film with its bytes changed."""

    async def make(path: Path) -> None:
        whole = path.with_name("whole-" + first.name)
        await first.make(whole)
        path.write_bytes(change(whole.read_bytes()))

    return Odd(name, make, outcome, soak)


def copied(
    name: str,
    outcome: Shown | str,
    first: Odd,
    *options: str,
    inputs: Sequence[str] = (),
    soak: bool = False,
) -> Odd:
    """Another film in another container, or with other words in its header; nothing is encoded again."""

    async def make(path: Path) -> None:
        whole = path.with_name("whole-" + first.name)
        await first.make(whole)
        await ffmpeg(*inputs, "-i", whole, "-map", "0", "-c", "copy", *options, path)

    return Odd(name, make, outcome, soak)


def joined(name: str, outcome: Shown | str, *parts: Sequence[str], soak: bool = False) -> Odd:
    """Films laid end to end byte by byte, each by the ffmpeg options given; each one's clock goes on where the last ended."""

    async def make(path: Path) -> None:
        whole = b""
        for number, options in enumerate(parts):
            part = path.with_name(f"part-{number}{path.suffix}")
            await ffmpeg(*options, "-output_ts_offset", str(SECONDS * number), "-muxdelay", "0", part)
            whole += part.read_bytes()
        path.write_bytes(whole)

    return Odd(name, make, outcome, soak)


def written(name: str, reason: str, content: bytes, *, soak: bool = False) -> Odd:
    async def make(path: Path) -> None:
        path.write_bytes(content)

    return Odd(name, make, reason, soak)
