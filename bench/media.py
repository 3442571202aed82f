"""What a ladder by title saves against Apple's fixed one, what its analysis costs, and how near it is to the best ladder.

    python -m bench.media [FILM ...] [--capped] [--no-regret] [--long-seconds 600]

FILM: the SDR clips of `video/dev` and `video/derived` with 480 lines or more and 5 s or more, unless some are named. `theirs` is
Apple's ladder as an author would write it by hand: its sizes, its average bitrates (VBV 1.25 times that, 2 s), the same x264,
preset, filters and GOPs. `--capped` adds the platform's own fixed ladder (CRF under the same maximum). `ours` is the chain:
`analyse`, then every rung as a worker encodes it. All are scored on
every third frame.

BD-rate: VMAF, PCHIP over the common range (`domain.bd_rate`); below 0 ours needs fewer bits. Shares are of processor seconds, so
a busy machine changes little. Regret: ours against the hull of all sizes at every fourth CRF, each encode at full settings. One
table row a clip; the last line is one JSON object.
"""

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from bench.transcode import judged, looped
from marquee.documents import AnalysisDocument, PlanDocument, Rung, SourceDocument
from marquee.domain.bd_rate import RatePoint, bd_rate
from marquee.domain.hull import Candidate, convex_hull
from marquee.domain.ladder import BUFFER_SECONDS, PEAK_FACTOR
from marquee.errors import MarqueeError
from marquee.media.encode.plan import chunk_jobs, plan, with_rungs
from marquee.media.encode.quality import score_sample
from marquee.media.encode.samples import Sample
from marquee.media.encode.transcode import chunk_arguments, transcode_chunk
from marquee.media.ladder.analyse import analyse, targets_for
from marquee.media.programs import process
from marquee.media.source.probe import probe
from marquee.profiles import load_profile

DATA: Final = Path(__file__).parents[2] / "shared" / "data" / "video"
PROFILE: Final = load_profile("standard")
MIN_LINES: Final = 480
MIN_SECONDS: Final = 5.0
SHORT_SECONDS: Final = 20.0
REGRET_FILMS: Final = ("flower_960x540.mp4", "d_odd_853x481_vp9.webm", "friday_640x480.mp4")
HULL_CRFS: Final = range(18, 43, 4)
RUNGS_AT_ONCE: Final = 8
"""That one command scores, each on every third frame of the whole film."""
LADDER_SECONDS: Final = 60.0
"""Of the long film's ladder: its cost is linear, and the whole would take half an hour."""
MEMORY_BYTES: Final = 8 * 1024**3


class Film(NamedTuple):
    path: Path
    source: SourceDocument
    plan: PlanDocument


class Ladder(NamedTuple):
    """Rungs as they came out: rate and VMAF of each, and the processor seconds of the encode."""

    points: list[RatePoint]
    cpu_seconds: float

    def __str__(self) -> str:
        return "  ".join(f"{one.rate / 1000:.0f}:{one.quality:.1f}" for one in self.points)


async def named_films() -> list[Path]:
    """The clips that the figures are about."""
    found = []
    for path in sorted([*(DATA / "dev").iterdir(), *(DATA / "derived").iterdir()]):
        try:
            claims = await probe(path)
        except MarqueeError:
            continue
        video = [one for one in claims.streams if one.kind == "video" and one.width]
        if (
            video
            and min(video[0].width, video[0].height) >= MIN_LINES - 1
            and (claims.duration_seconds or 0) >= MIN_SECONDS
        ):
            found.append(path)
    return found


async def opened(path: Path) -> Film | None:
    """The film with its fixed plan; None if it is not one that the figures are about."""
    source = await judged(path)
    video = source.video
    if video.hdr or min(video.display_width, video.display_height) < MIN_LINES or video.duration_seconds < MIN_SECONDS:
        return None
    return Film(path, source, planned(source))


def planned(source: SourceDocument) -> PlanDocument:
    """The fixed ladder at the speed of the profile `standard`, as one chunk."""
    profile = msgspec.structs.replace(PROFILE, ladder="fixed")
    return plan(source, profile, chunk_segments=10_000, encoders={"h264": "libx264"})


def by_title(source: SourceDocument, found: AnalysisDocument) -> list[Rung]:
    """The rungs as the chain would plan them."""
    return plan(source, PROFILE, chunk_segments=10_000, encoders={"h264": "libx264"}, analysis=found).settings.rungs


async def encoded(
    film: Film, rungs: Sequence[Rung], folder: Path, *, average: bool = False
) -> tuple[list[Path], float]:
    """Every rung of the whole film as one file, made by a worker's command. `average`: at the average rate instead of the CRF."""
    one = with_rungs(film.plan, list(rungs))
    job = chunk_jobs(one, film.source)[0]
    paths = {rung.name: folder / f"{rung.name}.mp4" for rung in rungs}
    if not average:
        done = await transcode_chunk(job, film.path, folder, memory_bytes=MEMORY_BYTES)
        return list(paths.values()), done.cpu_seconds
    argv, rates = [], iter(rungs)
    arguments = iter(chunk_arguments(job, film.path, paths, margin_seconds=None, threads=1))
    for argument in arguments:
        if argument == "-crf":
            next(arguments)
            argv += ["-b:v", str(next(rates).bitrate_bps)]
        else:
            argv.append(argument)
    finished = await process.run(argv, timeout_seconds=7200, memory_bytes=MEMORY_BYTES)
    return list(paths.values()), finished.cpu_seconds


def apples_rungs(film: Film) -> list[Rung]:
    """Apple's sizes and rates, with a maximum of 1.25 times the rate."""
    return [
        msgspec.structs.replace(
            rung,
            max_bitrate_bps=round(rung.bitrate_bps * PEAK_FACTOR),
            buffer_bits=round(rung.bitrate_bps * PEAK_FACTOR * BUFFER_SECONDS),
        )
        for rung in film.plan.settings.rungs
    ]


async def ladder(film: Film, rungs: Sequence[Rung], *, average: bool = False) -> Ladder:
    """Encode and score these rungs."""
    with tempfile.TemporaryDirectory() as name:
        paths, cpu = await encoded(film, rungs, Path(name), average=average)
        seconds, points = film.plan.duration_seconds, []
        for first in range(0, len(rungs), RUNGS_AT_ONCE):
            some = list(zip(rungs, paths, strict=True))[first : first + RUNGS_AT_ONCE]
            whole = Sample(0, film.plan.total_frames)
            found, _ = await score_sample(film.source, film.path, film.plan, some, whole, memory_bytes=MEMORY_BYTES)
            points += [
                RatePoint(8 * path.stat().st_size / seconds, statistics.mean(values))
                for (_, path), values in zip(some, found, strict=True)
            ]
        return Ladder(points, cpu)


async def analysed(film: Film) -> AnalysisDocument:
    with tempfile.TemporaryDirectory() as name:
        settings = film.plan.settings
        return await analyse(
            film.source,
            film.path,
            settings,
            film.plan.total_frames,
            targets_for(PROFILE, settings.rungs),
            Path(name),
            memory_bytes=MEMORY_BYTES,
        )


async def best_ladder(film: Film) -> list[RatePoint]:
    """The hull of every size at every fourth CRF, at full settings."""
    made = []
    for rung in film.plan.settings.rungs:
        free = {"bitrate_bps": 50_000_000, "max_bitrate_bps": 100_000_000, "buffer_bits": 200_000_000, "level": "5.1"}
        made += [msgspec.structs.replace(rung, name=f"{rung.name}-{crf}", crf=crf, **free) for crf in HULL_CRFS]
    found = await ladder(film, made)
    hull = convex_hull(
        Candidate(rung.width, rung.height, rung.crf or 0, point.rate, point.quality)
        for rung, point in zip(made, found.points, strict=True)
    )
    return [RatePoint(one.bitrate_bps, one.vmaf) for one in hull]


def compared(first: Sequence[RatePoint], second: Sequence[RatePoint]) -> float | None:
    """BD-rate of `second` against `first`; None without a common range."""
    try:
        return bd_rate(first, second)
    except ValueError:
        return None


async def measured(path: Path, *, capped: bool, regret: bool) -> dict[str, object] | None:
    """One clip's row."""
    film = await opened(path)
    if film is None:
        return None
    found = await analysed(film)
    rungs = by_title(film.source, found)
    mine, apples = await ladder(film, rungs), await ladder(film, apples_rungs(film), average=True)
    row: dict[str, object] = {
        "film": path.name,
        "seconds": round(film.plan.duration_seconds, 1),
        "bd_rate": compared(apples.points, mine.points),
        "expected_against_capped": found.bd_rate,
        "analysis_share": found.cpu_seconds / mine.cpu_seconds,
        "analysis_cpu_seconds": found.cpu_seconds,
        "ladder_cpu_seconds": [mine.cpu_seconds, apples.cpu_seconds],
        "rungs": [f"{rung.name}@{rung.crf}" for rung in rungs],
        "worst_miss_vmaf": max(abs(a.vmaf - b.quality) for a, b in zip(found.rungs, mine.points, strict=True)),
    }
    told = [f"{path.name}", f"  ours    {mine}   ({', '.join(row['rungs'])})", f"  Apple's {apples}"]  # type: ignore[arg-type]
    told.append("  hoped   " + "  ".join(f"{one.bitrate_bps / 1000:.0f}:{one.vmaf:.1f}" for one in found.rungs))
    if capped:
        own = await ladder(film, apples_rungs(film))
        row["bd_rate_against_capped"] = compared(own.points, mine.points)
        told.append(f"  capped  {own}")
    if regret:
        best = await best_ladder(film)
        row["regret"] = compared(best, mine.points)
        told.append("  hull    " + "  ".join(f"{one.rate / 1000:.0f}:{one.quality:.1f}" for one in best))
    sys.stderr.write("\n".join(told) + "\n" + json.dumps(row) + "\n")
    return row


async def long_share(film: Path, seconds: float) -> dict[str, float]:
    """The analysis of a long film as a share of its ladder, whose cost is measured on `LADDER_SECONDS` of it."""
    with tempfile.TemporaryDirectory() as name:
        path = await looped(film, seconds, Path(name))
        source = await judged(path)
        long = Film(path, source, planned(source))
        found = await analysed(long)
        part = await looped(film, min(seconds, LADDER_SECONDS), Path(name) / "part")
        short_source = await judged(part)
        short = Film(part, short_source, planned(short_source))
        rungs = by_title(source, found)
        with tempfile.TemporaryDirectory() as made:
            _, cpu = await encoded(short, rungs, Path(made))
        whole = cpu * long.plan.total_frames / short.plan.total_frames
        return {
            "long_seconds": seconds,
            "long_analysis_cpu_seconds": found.cpu_seconds,
            "long_ladder_cpu_seconds": whole,
            "analysis_share": found.cpu_seconds / whole,
        }


def summed(rows: Sequence[dict[str, object]], key: str) -> list[float]:
    return [value for row in rows if isinstance(value := row.get(key), float)]


async def run(asked: argparse.Namespace) -> dict[str, object]:
    rows: list[dict[str, object]] = []
    for path in asked.films or await named_films():
        row = await measured(path, capped=asked.capped, regret=path.name in REGRET_FILMS and asked.regret)
        if row is not None:
            rows.append(row)
    rates, regrets = summed(rows, "bd_rate"), summed(rows, "regret")
    short = [row for row in rows if float(str(row["seconds"])) < SHORT_SECONDS]
    figures: dict[str, object] = {
        "films": [row["film"] for row in rows],
        "bd_rate_mean": statistics.mean(rates),
        "bd_rate_median": statistics.median(rates),
        "bd_rate_worst": max(rates),
        "analysis_share_short_worst": max(summed(short, "analysis_share"), default=None),
    }
    if regrets:
        figures["hull_regret"] = max(regrets)
    if against := summed(rows, "bd_rate_against_capped"):
        figures |= {"capped_bd_rate_mean": statistics.mean(against), "capped_bd_rate_worst": max(against)}
    if asked.long_seconds:
        figures |= await long_share(DATA / "dev" / "sintel_720p_16s.mp4", asked.long_seconds)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("films", type=Path, nargs="*")
    parser.add_argument("--capped", action="store_true", help="also against the platform's fixed ladder")
    parser.add_argument("--no-regret", dest="regret", action="store_false")
    parser.add_argument("--long-seconds", type=float, default=600.0, help="0: leave the long film out")
    asked = parser.parse_args()
    if not asked.films and not DATA.is_dir():
        print(f"skipped: there are no films in {DATA}: name some")  # noqa: T201
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asyncio.run(run(asked))))  # noqa: T201


if __name__ == "__main__":
    main()
