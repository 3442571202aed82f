"""Films that change midway, made by script, and the measure of what became of them.

Each part shows a red disc on green. The disc is round, and red and green have one value each, however a part is stored.
`measure` finds the disc, the bars and both colours in frames of a rendition.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marquee.media.encode.join import join_rendition
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.programs import binaries, process
from tests.harness.media.films import judged, planned
from tests.harness.media.patches import BT2020_OF_BT709, hlg, pq

RED: Final = (192, 48, 32)
GREEN: Final = (32, 160, 64)
MPEG2: Final = ("-c:v", "mpeg2video", "-q:v", "2", "-g", "12", "-bf", "0")
H264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-g", "12", "-bf", "0")
H264_REORDERED: Final = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-g", "12", "-bf", "2")

HIGH10: Final = (*H264, "-profile:v", "high10")
_HDR_TAGS: Final = {"pq": ("bt2020", "smpte2084", "bt2020nc"), "hlg": ("bt2020", "arib-std-b67", "bt2020nc")}


class Part(NamedTuple):
    """One part of a film: `width` x `height` pixels of the shape `aspect`."""

    width: int
    height: int
    aspect: Fraction = Fraction(1)
    seconds: float = 1.0
    codec: Sequence[str] = H264
    matrix: str = "bt709"
    range: str = "tv"
    format: str = "yuv420p"
    rate: int = 25
    more: str = ""
    """Further filters."""
    tagged: bool = True
    light: str = ""
    """`pq` or `hlg`: the same colours as HDR, with SDR's white at 203 cd/m2. Needs a `format` of 10 bits."""

    @property
    def graph(self) -> str:
        """The part's picture as a lavfi graph."""
        if self.light:
            return self._graph(self._hdr(RED), self._hdr(GREEN), "gbrp12le", "bt2020", *_HDR_TAGS[self.light])
        return self._graph(RED, GREEN, "gbrp", self.matrix, self.matrix, self.matrix, self.matrix)

    def _hdr(self, colour: Sequence[int]) -> list[int]:
        """The 12-bit values of an SDR colour in HDR."""
        nits = 203 * (np.array([colour]) / 255) ** 2.4 @ BT2020_OF_BT709.T
        return [round(4095 * float(one)) for one in (pq if self.light == "pq" else hlg)(nits)[0]]

    def _graph(
        self,
        red: Sequence[int],
        green: Sequence[int],
        rgb: str,
        scaled_to: str,
        primaries: str,
        transfer: str,
        matrix: str,
    ) -> str:
        across = f"(X-{self.width / 2})*{float(self.aspect)}"
        disc = f"lt(hypot({across},Y-{self.height / 2}),{0.35 * self.height})"
        values = ":".join(f"{name}='if({disc},{red[n]},{green[n]})'" for n, name in enumerate("rgb"))
        tags = f":color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}" if self.tagged else ""
        return (
            f"color=s={self.width}x{self.height}:r={self.rate}:d={1 / self.rate},format={rgb},geq={values},"
            f"scale=out_color_matrix={scaled_to}:out_range={self.range}:flags=accurate_rnd+full_chroma_int,"
            f"format={self.format},loop=-1:1,setpts=N/{self.rate}/TB,trim=end_frame={round(self.seconds * self.rate)},"
            f"setparams=range={self.range}{tags},setsar={self.aspect.numerator}/{self.aspect.denominator}{self.more}"
        )


async def make(path: Path, parts: Sequence[Part], *options: str, via: str = "ts") -> Path:
    """Make a film of `parts` one after the other: transport streams are laid end to end, other containers get packet by packet.

    `options` are for the joining, and `via` is the container of the single parts.
    """
    made, start = [], 0.0
    for number, part in enumerate(parts):
        single = path.with_name(f"{path.stem}-{number}.{via}")
        await _ffmpeg("-f", "lavfi", "-i", part.graph, *part.codec, "-output_ts_offset", f"{start:.3f}", str(single))
        made.append(single)
        start += part.seconds
    if path.suffix in {".ts", ".mpg"}:
        laid = path.with_suffix(".ts")
        laid.write_bytes(b"".join(one.read_bytes() for one in made))
        if path.suffix == ".mpg":
            await _ffmpeg("-i", str(laid), "-c", "copy", "-f", "vob", str(path))
        return path
    script = path.with_suffix(".ffconcat")
    script.write_text("ffconcat version 1.0\n" + "".join(f"file '{one.name}'\n" for one in made))
    await _ffmpeg("-f", "concat", "-safe", "0", "-i", str(script), "-c", "copy", *options, str(path))
    return path


async def _ffmpeg(*arguments: str) -> bytes:
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-nostdin", "-y", *arguments]
    return (await process.run(argv, timeout_seconds=120)).stdout


async def rendition(film: Path, folder: Path, *, segments: int = 1) -> Path:
    """Judge, plan, encode and join a film; its best rendition."""
    source = await judged(film)
    plan = planned(source, segments=segments)
    best = []
    for job in chunk_jobs(plan, source):
        place = folder / f"chunk-{job.chunk.index}"
        place.mkdir(parents=True)
        best.append((await transcode_chunk(job, film, place)).parts[-1].path)
    out = folder / "best.mp4"
    await join_rendition(best, out, frame_rate=Fraction(plan.settings.frame_rate), frames=plan.total_frames)
    return out


class Frame(NamedTuple):
    """A frame of a rendition: the disc's width / height, the widths of the bars (left, top), the colours of disc and ground."""

    roundness: float
    bars: tuple[int, int]
    red: tuple[int, ...]
    green: tuple[int, ...]

    def findings(self, bars: tuple[bool, bool] | None = None, tolerance: int = 3) -> list[str]:
        """What is wrong with the frame. `bars`: whether bars are expected at the sides, and at top and bottom.

        `tolerance`: of a colour's values. A dark one of HDR is up to 7 off: one step of the 8-bit signal.
        """
        found = []
        if abs(self.roundness - 1) > 0.02:
            found.append(f"the circle is {self.roundness:.3f} times as wide as high")
        for name, seen, right in (("red", self.red, RED), ("green", self.green, GREEN)):
            if max(abs(one - other) for one, other in zip(seen, right, strict=True)) > tolerance:
                found.append(f"{name} is {seen}, not {right}")
        if bars is not None and bars != (self.bars[0] > 0, self.bars[1] > 0):
            found.append(f"bars of {self.bars[0]} columns and {self.bars[1]} lines")
        return found


async def measure(film: Path, times: Sequence[float]) -> list[Frame]:
    """The frames of `film` at `times`, in seconds."""
    return [_frame(picture) for picture in await pictures(film, times)]


async def pictures(film: Path, times: Sequence[float]) -> list[npt.NDArray[np.int_]]:
    """The pictures of `film` at `times`, in seconds: rows x columns x RGB."""
    listing = await process.run(
        [str(binaries.ffprobe()), "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", str(film)],
        timeout_seconds=60,
    )
    width, height = (int(value) for value in listing.stdout.decode().split()[0].split(",")[:2])
    found = []
    for at in times:
        raw = await _ffmpeg(
            *("-ss", f"{at:.3f}", "-i", str(film), "-frames:v", "1"),
            *("-vf", "scale=out_range=pc:flags=accurate_rnd+full_chroma_int,format=rgb24", "-f", "rawvideo", "-"),
        )
        found.append(np.frombuffer(raw, dtype=np.uint8).reshape(height, width, 3).astype(int))
    return found


def _frame(picture: npt.NDArray[np.int_]) -> Frame:
    red = (picture[..., 0] > 100) & (picture[..., 0] > picture[..., 1])
    rows, columns = np.nonzero(red.any(axis=1))[0], np.nonzero(red.any(axis=0))[0]
    assert len(rows), "there is no disc in the picture"
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    middle = picture[(rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2]
    shown = picture.max(axis=2) > 24
    left, top = int(np.nonzero(shown.any(axis=0))[0][0]), int(np.nonzero(shown.any(axis=1))[0][0])
    ground = picture[(top + rows[0]) // 2, (columns[0] + columns[-1]) // 2]
    return Frame(float(width / height), (left, top), tuple(map(int, middle)), tuple(map(int, ground)))
