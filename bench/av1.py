"""AV1 against H.264: bits at equal VMAF (BD-rate) and processor seconds, with the encoders' own options of the profiles.

    python -m bench.av1 [--clip FILE ...] [--preset 6 --preset 8] [--lines 720] [--seconds 6] [--codec av1]

Each clip is encoded at one size by x264 (`medium`, the CRFs of `H264_CRFS`) and by each preset of the other codec, without a
maximum rate, with closed GOPs of two seconds and one thread, as chunk jobs are. VMAF is scored on every third frame against the
scaled source. `cpu_ratio` compares the sums of processor seconds over the points; elapsed time plays no part, so a busy machine
does not change the result much. Prints a table, and as its last line one JSON object: `av1_bd_rate`, `av1_cpu_ratio`, and both by
preset and clip.
`bench.media` calls `av1_figures`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from marquee.documents import EncodingSettings, Rung
from marquee.domain.bd_rate import RatePoint, bd_rate
from marquee.domain.ladder import even
from marquee.media.encode.encoders import ENCODERS
from marquee.media.programs import binaries, process

VIDEO: Final = Path(__file__).parents[2] / "shared" / "data" / "video"
CLIPS: Final = (
    "dev/sintel_720p_16s.mp4",
    "dev/bbb_1080p60_5.1.mp4",
    "dev/train_854x480_vp9.webm",
    "dev/person_768x432_139s.mp4",
    "dev/svt_1080p_422_10bit.mp4",
    "derived/d_interlaced_576i_tff.ts",
)
H264_CRFS: Final = (19, 23, 27, 31)
OTHER_CRFS: Final = {"av1": (24, 32, 40, 48), "hevc": (20, 24, 28, 32)}
UNCAPPED_BPS: Final = 200_000_000


class Point(NamedTuple):
    """One encode: kbit/s, mean VMAF, processor seconds."""

    kbps: float
    vmaf: float
    cpu_seconds: float


async def encoded(film: Path, rate: Fraction, rung: Rung, preset: str, seconds: float, folder: Path) -> Point:
    """Encode the first `seconds` of a lossless film and score the result."""
    settings = EncodingSettings(
        frame_rate=str(rate), gop_frames=round(2 * rate), segment_frames=round(6 * rate), preset=preset, rungs=[rung],
        filters="", encoder="",
    )  # fmt: skip
    options = ENCODERS[rung.codec].options(rung, settings, 1)
    for unlimited in ("maxrate", "bufsize", "level:v"):
        options.pop(unlimited, None)
    out = folder / f"{rung.name}-{preset}-{rung.crf}.mp4"
    pixels = ["-pix_fmt", "yuv420p10le" if rung.bit_depth == 10 else "yuv420p"]
    ffmpeg: list[str | Path] = [binaries.picture_ffmpeg(), "-v", "error", "-nostdin", "-y", "-threads", "1"]
    argv = [*ffmpeg, "-i", film, *pixels]
    for name, value in options.items():
        argv += [f"-{name}", str(value)]
    cpu = (await process.run([*argv, out], timeout_seconds=3600)).cpu_seconds
    graph = "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];[a][b]libvmaf=n_subsample=3:log_fmt=json:log_path=vmaf.json"
    await process.run(
        [*ffmpeg, "-i", out, "-i", film, "-lavfi", graph, "-f", "null", "-"], timeout_seconds=3600, cwd=folder
    )
    vmaf = json.loads((folder / "vmaf.json").read_text())["pooled_metrics"]["vmaf"]["mean"]
    return Point(out.stat().st_size * 8 / seconds / 1000, vmaf, cpu)


async def _lossless(
    clip: Path, lines: int, seconds: float, start: float, folder: Path
) -> tuple[Path, Fraction, int, int]:
    """`seconds` of the clip at no more than `lines` lines, lossless: decoding costs every encoder the same."""
    out = folder / "film.mkv"
    scale = f"bwdif=deint=interlaced,scale=-2:'min({lines},ih)',setsar=1,format=yuv420p"
    await process.run(
        [
            binaries.picture_ffmpeg(), "-v", "error", "-nostdin", "-y", "-ss", str(start), "-i", clip, "-t", str(seconds), "-an",
            "-vf", scale, "-fps_mode", "cfr", "-c:v", "ffv1", "-level", "3", out,
        ],
        timeout_seconds=600,
    )  # fmt: skip
    entries = ["-show_entries", "stream=width,height,r_frame_rate", "-of", "csv=p=0"]
    told = await process.run([binaries.ffprobe(), "-v", "error", *entries, out], timeout_seconds=60)
    width, height, rate = told.stdout.decode().strip().rstrip(",").split(",")
    return out, Fraction(rate), even(int(width)), even(int(height))


async def curve(
    film: Path, rate: Fraction, size: tuple[int, int], codec: Any, preset: str, crfs: Sequence[int], seconds: float
) -> list[Point]:
    depth: Any = 10 if codec == "av1" else 8
    profile: Any = "high" if codec == "h264" else "main"
    rung = Rung(
        name=codec, width=size[0], height=size[1], bitrate_bps=UNCAPPED_BPS, max_bitrate_bps=UNCAPPED_BPS,
        buffer_bits=UNCAPPED_BPS, codec=codec, profile=profile, level="5.1", bit_depth=depth,
    )  # fmt: skip
    return [
        await encoded(film, rate, msgspec.structs.replace(rung, crf=crf), preset, seconds, film.parent) for crf in crfs
    ]


async def av1_figures(
    clips: Sequence[Path] = tuple(VIDEO / name for name in CLIPS),
    presets: Sequence[str] = ("6",),
    *,
    codec: str = "av1",
    lines: int = 720,
    seconds: float = 6.0,
    start: float = 2.0,
    reference: str = "medium",
) -> dict[str, object]:
    """BD-rate and processor ratio of `codec` against x264 by preset: the mean over the clips, and each clip's own."""
    found: dict[str, dict[str, tuple[float, float]]] = {preset: {} for preset in presets}
    for clip in clips:
        with tempfile.TemporaryDirectory() as name:
            film, rate, *size = await _lossless(clip, lines, seconds, start, Path(name))
            shape = (size[0], size[1])
            h264 = await curve(film, rate, shape, "h264", reference, H264_CRFS, seconds)
            print(f"{clip.name} x264 {reference}: {_shown(h264)}", file=sys.stderr, flush=True)  # noqa: T201
            for preset in presets:
                other = await curve(film, rate, shape, codec, preset, OTHER_CRFS[codec], seconds)
                saved = bd_rate([RatePoint(p.kbps, p.vmaf) for p in h264], [RatePoint(p.kbps, p.vmaf) for p in other])
                cost = sum(p.cpu_seconds for p in other) / sum(p.cpu_seconds for p in h264)
                found[preset][clip.name] = (round(saved, 4), round(cost, 3))
                print(f"  {codec} {preset}: {saved:+.1%}, {cost:.2f} x: {_shown(other)}", file=sys.stderr, flush=True)  # noqa: T201
    means = {
        preset: {
            "bd_rate": round(statistics.mean(saved for saved, _ in by.values()), 4),
            "cpu_ratio": round(statistics.mean(cost for _, cost in by.values()), 3),
            "clips": by,
        }
        for preset, by in found.items()
    }
    first = means[presets[0]]
    return {f"{codec}_bd_rate": first["bd_rate"], f"{codec}_cpu_ratio": first["cpu_ratio"], "presets": means}


def _shown(points: Sequence[Point]) -> str:
    return ", ".join(f"{p.kbps:.0f} kbit/s VMAF {p.vmaf:.1f} {p.cpu_seconds:.1f} s" for p in points)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", action="append", type=Path)
    parser.add_argument("--preset", action="append")
    parser.add_argument("--codec", default="av1")
    parser.add_argument("--lines", type=int, default=720)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--start", type=float, default=2.0)
    asked = parser.parse_args()
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    chosen = asked.clip or [VIDEO / name for name in CLIPS]
    print(  # noqa: T201
        json.dumps(
            asyncio.run(
                av1_figures(
                    chosen,
                    asked.preset or ("6",),
                    codec=asked.codec,
                    lines=asked.lines,
                    seconds=asked.seconds,
                    start=asked.start,
                )
            )
        )
    )
