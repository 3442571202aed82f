"""Compares the pictures of a title with those of its master at the same times: upright, unmirrored, in the right colours.

Pictures are scaled to 64 x 36 and compared by correlation of brightness and by difference of colours. Every `_findings`
function returns findings, one sentence each; an empty list means that the pictures match.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from marquee.media.programs import binaries, process
from tests.harness.media import watched
from tests.harness.media.watched import Master, Variant

SAMPLES = (0.1, 0.5, 0.9)
"""The places where pictures are compared, as shares of the film's length."""
SMALL = (64, 36)
"""Size of comparison in pixels. A wrong rotation, mirroring, field or time is visible at it; encoding loss is not."""
MIN_CORRELATION = 0.9
MAX_DIFFERENCE = 14.0
"""Mean difference of red, green and blue (0 to 255). BT.601 taken for BT.709 gives about 5, a wrong range about 20."""
FLAT = 3.0
"""Below this standard deviation of brightness, a picture is too flat for a correlation."""

Pixels = npt.NDArray[np.float32]

_TONE_MAP = "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"


async def pictures(
    path: Path, at: Sequence[float], *, shown: Master | None = None, stream: str = "V:0", options: Sequence[str] = ()
) -> list[Pixels]:
    """The pictures on screen `at` seconds after the first picture, each `SMALL` pixels of red, green, blue (0 to 255)."""
    chain = ["setpts=PTS-STARTPTS"]
    if shown is not None and shown.interlaced:
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    # The picture at a time is the last one that starts before that time.
    chain += [f"fps=1000:start_time=0:round=up,select='{'+'.join(f'eq(n,{round(1000 * one)})' for one in at)}'"]
    if shown is not None and shown.hdr:
        chain.append(_TONE_MAP)
    chain.append(f"scale={SMALL[0]}:{SMALL[1]}:flags=area,format=rgb24")
    raw = await process.run(
        [
            *(binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", *options, "-i", path),
            *("-map", f"0:{stream}", "-vf", ",".join(chain), "-fps_mode", "passthrough", "-f", "rawvideo", "-"),
        ],
        timeout_seconds=300,
    )
    size = SMALL[0] * SMALL[1] * 3
    return [
        np.frombuffer(raw.stdout[start : start + size], np.uint8).astype(np.float32).reshape(SMALL[1], SMALL[0], 3)
        for start in range(0, len(raw.stdout) - size + 1, size)
    ]


def likeness(one: Pixels, other: Pixels) -> tuple[float, float]:
    """(correlation of brightness, mean difference of colours). The correlation of flat pictures is 1."""
    first, second = one.mean(axis=2), other.mean(axis=2)
    first, second = first - first.mean(), second - second.mean()
    spread = float(first.std() * second.std())
    correlation = float((first * second).mean()) / spread if spread > FLAT**2 else 1.0
    return correlation, float(np.abs(one - other).mean())


async def picture_findings(
    path: Path, source: Master, made: Variant, *, stream: str = "V:0", options: Sequence[str] = ()
) -> list[str]:
    """The rendition `made` must show the same pictures as the master at the same times."""
    middle = source.step / 2
    # The middle of a picture's time: rounding cannot choose a neighbour.
    chosen = dict.fromkeys(round(share * (len(source.times) - 1)) for share in SAMPLES)
    at = [source.times[index] + middle for index in chosen]
    expected = await pictures(path, at, shown=source, stream=stream, options=options)
    seen = await pictures(made.path, at)
    if len(seen) < len(at) or len(expected) < len(at):
        return [f"Of {len(at)} pictures the master gives {len(expected)} and the title {len(seen)}."]
    findings = []
    for time, one, other in zip(at, expected, seen, strict=True):
        correlation, difference = likeness(one, other)
        # Tone mappings of PQ and HLG differ in colour, but not in where the picture is bright and dark.
        if correlation < MIN_CORRELATION or (difference > MAX_DIFFERENCE and not source.hdr):
            findings.append(
                f"At {time:.3f} s the title shows another picture: correlation {correlation:.2f}, "
                f"difference {difference:.1f}."
            )
    light = [float(np.mean([one.mean() for one in shown])) for shown in (expected, seen)]
    if source.hdr and 8 < light[0] < 235 and not 8 < light[1] < 235:
        findings.append("The tone-mapped picture is black or white, and the master's is not.")
    return findings


async def title_findings(
    path: Path,
    folder: Path,
    *,
    stream: str = "V:0",
    seconds: float | None = None,
    options: Sequence[str] = (),
    noise: bool = False,
) -> list[str]:
    """Every check that needs no pattern, for the title in `folder` made of the film `path`.

    `options` are ffmpeg input options for the master. `noise`: the pictures are random and are not compared, because no
    encoder preserves them.
    """
    source = await watched.master(path, stream, options)
    made = await watched.variants(folder)
    findings = [
        *watched.size_findings(source, made),
        *watched.time_findings(source, made, seconds=seconds),
        *watched.colour_findings(made),
    ]
    for one in made:
        findings += await watched.undecodable(one.path)
    top = made[-1]
    frame = float(1 / top.rate)
    findings += await watched.sound_findings(folder, frame_seconds=frame, seconds=float(top.frames / top.rate))
    if noise:
        return findings
    return findings + await picture_findings(path, source, top, stream=stream, options=options)
