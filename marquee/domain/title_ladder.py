"""The rungs of a ladder by title, as the encoder gets them: the chosen points with names and constant quality (CRF). Pure.

Each rung is encoded at its own CRF below the profile's maximum (`peak_factor` x the expected rate). A title that is wilder than
the samples of its analysis shows it in its scores: `missed_expectations`, `no_better`. `media.encode.plan` uses the rungs, the
stage `quality` the comparisons.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from marquee.documents import LadderPoint, Rung
from marquee.domain.ladder import frame_lines
from marquee.profiles.contract import VideoProfile

MAX_OFF_VMAF: Final = 6.0
"""By how much a rung may miss its expected VMAF without a note: about what most viewers notice. Trials see a part of a film."""
_HIGHEST_CRF: Final = {"h264": 51, "hevc": 51, "av1": 63}
_CRF_SCALE: Final = {"h264": 1.0, "hevc": 1.0, "av1": 63 / 51}
"""Steps of a codec's CRF for one of x264's. SVT-AV1's has 63 where x264's and x265's have 51."""


def rungs_by_title(chosen: Sequence[LadderPoint], fixed: Sequence[Rung]) -> list[Rung]:
    """H.264 rungs of the `chosen` points, rising, before the profile's maxima. `fixed` are the rungs of the fixed ladder.

    A rung has the name of its size (`720p`). Of several rungs of one size the best has it; the next ones are `720p-2`, `720p-3`.
    """
    names = {(rung.width, rung.height): rung.name for rung in fixed}
    used: Counter[str] = Counter()
    rungs: list[Rung] = []
    for point in reversed(chosen):
        name = names.get((point.width, point.height)) or f"{round(frame_lines(point.width, point.height))}p"
        used[name] += 1
        rungs.append(
            msgspec.structs.replace(
                fixed[-1],
                name=name if used[name] == 1 else f"{name}-{used[name]}",
                width=point.width,
                height=point.height,
                bitrate_bps=point.bitrate_bps,
                crf=point.crf,
            )
        )
    return rungs[::-1]


def with_codecs_crf(rungs: Sequence[Rung], video: VideoProfile, h264_crf: int) -> list[Rung]:
    """The rungs of another codec's `video`: as far from the profile's CRF as the H.264 rungs are from H.264's (`h264_crf`)."""
    return [
        rung
        if rung.crf is None
        else msgspec.structs.replace(
            rung,
            crf=max(
                1, min(_HIGHEST_CRF[video.codec], video.crf + round((rung.crf - h264_crf) * _CRF_SCALE[video.codec]))
            ),
        )
        for rung in rungs
    ]


def distinct(rungs: Sequence[Rung]) -> list[Rung]:
    """The rungs, rising, without those of a ladder by title that have the rate of the next one: below 50 kbit/s all do."""
    kept = [below for below, above in pairwise(rungs) if below.crf is None or below.bitrate_bps < above.bitrate_bps]
    return [*kept, *rungs[-1:]]


def missed_expectations(
    rungs: Sequence[Rung], scores: Mapping[str, float], expected: Sequence[LadderPoint], *, same_size: bool
) -> list[tuple[Rung, float]]:
    """The rungs whose VMAF is further than `MAX_OFF_VMAF` from what was expected, with that. `scores` are by the rung's name.

    `same_size`: the trials were scored at the size of `scores`. If not, the steps between neighbours are compared, and the lowest
    rung cannot be judged.
    """
    points = {(point.width, point.height, point.crf): point.vmaf for point in expected}
    missed: list[tuple[Rung, float]] = []
    offset = 0.0 if same_size else None
    for rung in rungs:
        vmaf, score = points.get((rung.width, rung.height, rung.crf or 0)), scores.get(rung.name)
        if vmaf is None or score is None:
            continue
        if offset is not None and abs(score - vmaf - offset) > MAX_OFF_VMAF:
            missed.append((rung, min(100.0, max(0.0, vmaf + offset))))
        if not same_size:
            offset = score - vmaf
    return missed


def no_better(rungs: Sequence[Rung], scores: Mapping[str, float], rates: Mapping[str, int]) -> list[tuple[Rung, Rung]]:
    """Rungs of a ladder by title that are no better than the one below, and that one: no higher VMAF, or no more bits.

    `scores` and measured `rates` are by the rung's name.
    """
    known = [rung for rung in rungs if rung.crf is not None and rung.name in scores and rung.name in rates]
    return [
        (above, below)
        for below, above in pairwise(known)
        if scores[above.name] <= scores[below.name] or rates[above.name] <= rates[below.name]
    ]
