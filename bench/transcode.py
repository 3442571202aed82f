"""The cost of encoding a film in chunks, against one hand-written ffmpeg command that makes the same renditions.

    python -m bench.transcode [FILM] [--seconds 60] [--preset veryfast] [--rounds 2]

FILM is looped to the given length (copied, not encoded). `ours` is the chain: judge (decodes the whole film once),
plan, every chunk as a worker encodes it, one at a time on each core, then the quality sample, whose cost is also given
by itself. `theirs` is one ffmpeg process with its default threads and the same binary, preset, rates and GOPs. The two
alternate. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import structlog
from msgspec import convert

from marquee.concurrency import gather_bounded
from marquee.documents import PlanDocument, SourceDocument
from marquee.media.encode.encoders import rung_options
from marquee.media.encode.join import join_rendition
from marquee.media.encode.plan import chunk_jobs, plan
from marquee.media.encode.quality import scores
from marquee.media.encode.transcode import encoder_versions, transcode_chunk
from marquee.media.programs import binaries, process
from marquee.media.source.claims import SourceLimits
from marquee.media.source.judge import judge
from marquee.media.source.scan import scan
from marquee.profiles import H264Video, Profile

FILM = Path(__file__).parents[2] / "shared" / "data" / "video" / "dev" / "sintel_720p_16s.mp4"


class Cost(NamedTuple):
    """Processor seconds and elapsed seconds."""

    cpu_seconds: float
    wall_seconds: float
    bytes: int


async def looped(film: Path, seconds: float, folder: Path) -> Path:
    out = folder / "film.mp4"
    argv: list[str | Path] = [binaries.picture_ffmpeg(), "-v", "error", "-stream_loop", "-1", "-i", film]
    await process.run([*argv, "-map", "0:v:0", "-c", "copy", "-t", str(seconds), out], timeout_seconds=600)
    return out


async def judged(film: Path) -> SourceDocument:
    return await judge(
        film,
        movie_id="m_bench",
        version=1,
        upload_id="u_bench",
        key="film",
        file_name=film.name,
        sha256="0" * 64,
        limits=SourceLimits(),
    )


async def ours(film: Path, source: SourceDocument, found: PlanDocument, folder: Path) -> Cost:
    """Encode all chunks, one at a time on each core."""
    started = time.monotonic()

    async def one(job_number: int) -> tuple[float, int]:
        job = chunk_jobs(found, source)[job_number]
        chunk_folder = folder / f"chunk{job_number}"
        chunk_folder.mkdir(exist_ok=True)
        encoded = await transcode_chunk(job, film, chunk_folder, memory_bytes=4 * 1024**3)
        return encoded.cpu_seconds, sum(part.path.stat().st_size for part in encoded.parts)

    costs = await gather_bounded(one, range(len(found.chunks)), max_concurrent=os.cpu_count() or 1)
    return Cost(sum(cpu for cpu, _ in costs), time.monotonic() - started, sum(size for _, size in costs))


async def quality_cpu_seconds(film: Path, source: SourceDocument, found: PlanDocument, folder: Path) -> float:
    """Processor seconds of the quality sample, on the chunks that `ours` left."""
    renditions = []
    for rung in found.settings.rungs:
        parts = [folder / f"chunk{number}" / f"{rung.name}.mp4" for number in range(len(found.chunks))]
        out = folder / f"{rung.name}.mp4"
        await join_rendition(parts, out, frame_rate=Fraction(found.settings.frame_rate), frames=found.total_frames)
        renditions.append((rung, out))
    return sum(one.cpu_seconds for one in await scores(source, film, found, renditions))


async def theirs(film: Path, found: PlanDocument, folder: Path) -> Cost:
    """The same renditions by one command, as a person would write it by hand."""
    rungs = found.settings.rungs
    labels = "".join(f"[i{n}]" for n in range(len(rungs)))
    scales = [f"[i{n}]scale={rung.width}:{rung.height}[o{n}]" for n, rung in enumerate(rungs)]
    argv: list[str | Path] = [binaries.picture_ffmpeg(), "-v", "error", "-nostdin", "-y", "-i", film]
    argv += ["-filter_complex", f"[0:v]split={len(rungs)}{labels};" + ";".join(scales)]
    paths = [folder / f"single_{rung.name}.mp4" for rung in rungs]
    for number, (rung, path) in enumerate(zip(rungs, paths, strict=True)):
        options = rung_options(rung, found.settings, 1)
        kept = ("c:v", "preset", "profile:v", "level:v", "crf", "maxrate", "bufsize", "g", "keyint_min", "sc_threshold")
        argv += ["-map", f"[o{number}]"]
        for name in kept:
            argv += [f"-{name}", str(options[name])]
        argv.append(path)
    finished = await process.run(argv, timeout_seconds=7200)
    return Cost(finished.cpu_seconds, finished.wall_seconds, sum(path.stat().st_size for path in paths))


async def measure(film: Path, seconds: float, preset: str, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = await looped(film, seconds, folder)
        source = await judged(long)
        decode = await scan(long, source.video.index, timeout_seconds=3600, max_pixels=8192 * 4320)
        found = plan(
            source,
            Profile(name="bench", videos=[convert({"codec": "h264", "preset": preset}, H264Video)]),
            chunk_segments=3,
            encoders=await encoder_versions(["h264"]),
        )
        pairs: list[tuple[Cost, Cost]] = []
        for number in range(rounds):
            if number % 2:
                second = await theirs(long, found, folder)
                pairs.append((await ours(long, source, found, folder), second))
            else:
                first = await ours(long, source, found, folder)
                pairs.append((first, await theirs(long, found, folder)))
            mine, other = pairs[-1]
            sys.stderr.write(f"round {number + 1}: ours {mine}, one command {other}\n")
        quality = await quality_cpu_seconds(long, source, found, folder)
    cpu = [(mine.cpu_seconds + decode.cpu_seconds) / other.cpu_seconds for mine, other in pairs]
    whole = [(mine.cpu_seconds + decode.cpu_seconds + quality) / other.cpu_seconds for mine, other in pairs]
    wall = [mine.wall_seconds / other.wall_seconds for mine, other in pairs]
    return {
        "seconds": seconds,
        "preset": preset,
        "rungs": [rung.name for rung in found.settings.rungs],
        "chunks": len(found.chunks),
        "judge_cpu_seconds": round(decode.cpu_seconds, 2),
        "chunks_cpu_seconds": [round(mine.cpu_seconds, 2) for mine, _ in pairs],
        "single_cpu_seconds": [round(other.cpu_seconds, 2) for _, other in pairs],
        "chunks_wall_seconds": [round(mine.wall_seconds, 2) for mine, _ in pairs],
        "single_wall_seconds": [round(other.wall_seconds, 2) for _, other in pairs],
        "bytes_ratio": round(pairs[-1][0].bytes / pairs[-1][1].bytes, 3),
        "ladder_bytes_a_second": round(pairs[-1][0].bytes / found.duration_seconds),
        "cpu_seconds_a_second": round(pairs[-1][0].cpu_seconds / found.duration_seconds, 3),
        "quality_cpu_seconds": round(quality, 2),
        "cpu_ratio_with_judge_and_quality": round(statistics.mean(whole), 3),
        "cpu_ratio_with_judge": round(statistics.mean(cpu), 3),
        "cpu_ratio_spread": round(max(cpu) - min(cpu), 3),
        "wall_ratio": round(statistics.mean(wall), 3),
        "wall_ratio_spread": round(max(wall) - min(wall), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("film", type=Path, nargs="?", default=FILM)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    if not asked.film.is_file():
        print(f"skipped: there is no film {asked.film}: name another by `make bench FILM=...`")  # noqa: T201
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asyncio.run(measure(asked.film, asked.seconds, asked.preset, asked.rounds))))  # noqa: T201


if __name__ == "__main__":
    main()
