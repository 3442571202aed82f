"""The analysis of one title: which stretches are tried, what the trials show, and the rungs that are chosen by it.

Reads the master's file and its document; returns an `AnalysisDocument`. Its cost is bounded by `stretches`. The stage `analysis`
calls it, and `bench.media` measures it. `plan` makes the ladder of the chosen rungs.
"""

import asyncio
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Final

from marquee.documents import AnalysedSample, AnalysisDocument, EncodingSettings, LadderPoint, Rung, SourceDocument
from marquee.domain import hull
from marquee.domain.bd_rate import RatePoint, bd_rate
from marquee.domain.hull import Candidate, Targets
from marquee.errors import ProcessFailed, ProcessTimedOut
from marquee.media.ladder import model, trials
from marquee.media.ladder.stretches import film_ratio, is_linear, stretches
from marquee.media.ladder.trial_scores import Title
from marquee.media.programs import process
from marquee.media.source.probe import ffprobe_arguments
from marquee.profiles import Profile

_PROBE_TIMEOUT_BASE_SECONDS: Final = 600.0
_PROBE_BYTES_PER_SECOND: Final = 4 * 1024**2
"""A slow disk's. The time-out grows with the file: a master of 100 GiB takes minutes on any disk."""
_MAX_PACKETS: Final = 5_000_000


async def packet_bytes(path: Path, stream_index: int, *, memory_bytes: int | None = None) -> tuple[list[int], float]:
    """The size of every packet of the picture, without decoding, and the CPU seconds (0 if the reading failed midway).

    A damaged file gives what was read before ffprobe gave up. Raises `ProcessTimedOut`: what a busy machine read by then would be
    another ladder's.
    """
    sizes: list[int] = []

    def take(line: str) -> None:
        value = line.strip().strip(",")
        if value.isdigit() and len(sizes) < _MAX_PACKETS:
            sizes.append(int(value))

    argv = ffprobe_arguments(
        path, "-select_streams", str(stream_index), "-show_entries", "packet=size", "-of", "csv=p=0"
    )
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    timeout_seconds = _PROBE_TIMEOUT_BASE_SECONDS + size_bytes / _PROBE_BYTES_PER_SECOND
    try:
        finished = await process.run(
            argv, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes, on_stdout_line=take
        )
    except ProcessTimedOut:
        raise
    except ProcessFailed:
        return sizes, 0.0
    return sizes, finished.cpu_seconds


async def analyse(
    source: SourceDocument,
    source_path: Path,
    settings: EncodingSettings,
    total_frames: int,
    targets: Targets,
    folder: Path,
    *,
    memory_bytes: int | None = None,
) -> AnalysisDocument:
    """Choose the rungs of a title. `settings` are those of its fixed ladder: its sizes are the ones that rungs may have, and its
    preset is one of `profiles.contract.TRIED_PRESETS`.

    Raises `ProcessFailed` if a trial fails.
    """
    sizes = model.worthwhile([(rung.width, rung.height) for rung in settings.rungs])
    rate = float(Fraction(settings.frame_rate))
    packets, cpu_seconds = await packet_bytes(source_path, source.video.index, memory_bytes=memory_bytes)
    title = Title(source, source_path.absolute(), settings, sizes[-1], memory_bytes)

    def chosen_stretches(*, seekable: bool) -> list[AnalysedSample]:
        frame_bytes = sizes[-1][0] * sizes[-1][1] * 3 // 2
        return stretches(packets, total_frames, rate, settings.gop_frames, seekable=seekable, frame_bytes=frame_bytes)

    taken, starts = chosen_stretches(seekable=source.seekable), None
    if not is_linear(total_frames, rate, seekable=source.seekable):
        starts = await trials.proven_starts(title, taken)
        if starts is None:
            taken = chosen_stretches(seekable=False)
    tried = model.tried(sizes)
    measured, cost = await trials.measure(title, taken, tried, folder, neg_crf=tried[0].crf, starts=starts)
    ratio = film_ratio(packets, total_frames, taken)
    points = [model.Point(one.trial, ratio * trials.bitrate_bps(one, settings), fmean(one.vmaf)) for one in measured]
    calibration = model.CALIBRATIONS[settings.preset]
    candidates = model.expected(points, sizes, calibration)
    chosen = hull.choose(candidates, targets)
    fixed = [
        model.expected_at(points, (rung.width, rung.height), settings.crf, rung.bitrate_bps, calibration)
        for rung in settings.rungs
    ]
    return AnalysisDocument(
        movie_id=source.movie_id,
        version=source.version,
        ladder="by-title",
        compared_width=title.compared[0],
        compared_height=title.compared[1],
        trial_preset=trials.PRESET,
        samples=taken,
        trials=[
            LadderPoint(
                width=one.trial.width,
                height=one.trial.height,
                crf=one.trial.crf,
                bitrate_bps=round(point.bitrate_bps),
                vmaf=point.vmaf,
                vmaf_neg=fmean(one.vmaf_neg) if one.vmaf_neg else None,
            )
            for one, point in zip(measured, points, strict=True)
        ],
        hull=[_point(one) for one in hull.convex_hull(candidates)],
        rungs=[_point(one) for one in chosen],
        fixed=[_point(one) for one in fixed],
        bd_rate=expected_saving(fixed, chosen),
        cpu_seconds=cpu_seconds + cost,
    )


def targets_for(profile: Profile, fixed: Sequence[Rung]) -> Targets:
    """What the ladder of a title aims at, whose fixed ladder has the rungs `fixed`."""
    asked = profile.quality
    return Targets(
        highest_vmaf=asked.highest_vmaf,
        step_vmaf=asked.step_vmaf,
        lowest_bps=asked.lowest_bitrate_bps,
        highest_bps=HIGHEST_RATIO * fixed[-1].bitrate_bps,
    )


HIGHEST_RATIO: Final = 1.5
"""Of the fixed ladder's top rung: a film of noise would need 30 Mbit/s for VMAF 95, which few lines have."""


def expected_saving(fixed: Sequence[Candidate], chosen: Sequence[Candidate]) -> float | None:
    """The BD-rate of the chosen rungs against the fixed ladder; None where the two cannot be compared."""
    try:
        return bd_rate(*([RatePoint(one.bitrate_bps, one.vmaf) for one in ladder] for ladder in (fixed, chosen)))
    except ValueError:
        return None


def _point(one: Candidate) -> LadderPoint:
    return LadderPoint(
        width=one.width, height=one.height, crf=one.crf, bitrate_bps=round(one.bitrate_bps), vmaf=round(one.vmaf, 2)
    )
