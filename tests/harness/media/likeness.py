"""Whether a title shows the pictures that its master shows at the same times: upright, unmirrored, in its colours."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from marquee.media.programs import binaries, process
from tests.harness.media import watched
from tests.harness.media.watched import Master, Variant

SAMPLES = (0.1, 0.5, 0.9)
"""Where in the film, as shares of its length, pictures are compared."""
SMALL = (64, 36)
"""Pictures are compared at this size: a wrong turn, side, field or moment shows, an encoder's loss does not."""
MIN_CORRELATION = 0.9
MAX_DIFFERENCE = 14.0
"""Mean difference of red, green and blue, of 255: BT.601 taken for BT.709 is about 5, an inverted range about 20."""
FLAT = 3.0

Pixels = npt.NDArray[np.float32]

_TONE_MAP = "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"


async def pictures(
    path: Path, at: Sequence[float], *, shown: Master | None = None, stream: str = "V:0", options: Sequence[str] = ()
) -> list[Pixels]:
    """The pictures on screen at these times after the first one, as `SMALL` red-green-blue values."""
    chain = ["setpts=PTS-STARTPTS"]
    if shown is not None and shown.interlaced:
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    # The picture at a time is the last one that began before it.
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
    """(correlation of their brightness, mean difference of their colours); flat pictures correlate wholly."""
    first, second = one.mean(axis=2), other.mean(axis=2)
    first, second = first - first.mean(), second - second.mean()
    spread = float(first.std() * second.std())
    correlation = float((first * second).mean()) / spread if spread > FLAT**2 else 1.0
    return correlation, float(np.abs(one - other).mean())


async def picture_findings(
    path: Path, source: Master, made: Variant, *, stream: str = "V:0", options: Sequence[str] = ()
) -> list[str]:
    """The top rendition shows what the master shows at the same times: upright, unmirrored, in its colours."""
    middle = source.step / 2
    # In the middle of a picture's time, so that a frame's rounding chooses no other one.
    chosen = dict.fromkeys(round(share * (len(source.times) - 1)) for share in SAMPLES)
    at = [source.times[index] + middle for index in chosen]
    expected = await pictures(path, at, shown=source, stream=stream, options=options)
    seen = await pictures(made.path, at)
    if len(seen) < len(at) or len(expected) < len(at):
        return [f"Of {len(at)} pictures the master gives {len(expected)} and the title {len(seen)}."]
    findings = []
    for time, one, other in zip(at, expected, seen, strict=True):
        correlation, difference = likeness(one, other)
        # What PQ and HLG look like in SDR is a matter of taste; where bright and dark are is not.
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
    """All that can be told of any film; `options` are ffmpeg's for the master, and of `noise` no encoder keeps the pictures."""
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
