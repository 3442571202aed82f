"""Scores trial encodes by VMAF against their uncompressed reference, all of them in one ffmpeg command, at one common size.

Reads `reference.nut` and the trials `0.mp4`, `1.mp4`... that `trials` wrote to a folder, and writes logs beside them. Every fifth
frame is scored; motion is measured over all frames. VMAF NEG costs as much again: it is scored at one CRF alone.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import ffmpeg
import msgspec

from marquee.documents import AnalysedSample, EncodingSettings, SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.encode.quality import MAX_CONCURRENT_PIXELS, MIN_SIDE_PIXELS, UHD_LINES
from marquee.media.encode.vmaf import Compared, vmaf_command
from marquee.media.ladder.stretches import SUBSAMPLE
from marquee.media.programs import process

_TIMEOUT_BASE_SECONDS: Final = 300.0
_TIMEOUT_PER_FRAME_SECONDS: Final = 1.0


class Trial(NamedTuple):
    """One size at one CRF."""

    width: int
    height: int
    crf: int


class Title(NamedTuple):
    """What every trial of a title needs: the master, its file, and its encoder settings. Their filters make `size`."""

    source: SourceDocument
    path: Path
    settings: EncodingSettings
    size: tuple[int, int]
    memory_bytes: int | None = None

    @property
    def compared(self) -> tuple[int, int]:
        """The common size of all scores: that of the largest trial, within libvmaf's bound."""
        return max(MIN_SIDE_PIXELS, self.size[0]), max(MIN_SIDE_PIXELS, self.size[1])


class _Metrics(msgspec.Struct, frozen=True):
    vmaf: float
    vmaf_neg: float | None = None


class _Frame(msgspec.Struct, frozen=True):
    metrics: _Metrics


class _Log(msgspec.Struct, frozen=True):
    frames: list[_Frame]


class Scored(NamedTuple):
    """For each trial the VMAF and, where it was asked for, the VMAF NEG of each scored frame."""

    values: list[tuple[list[float], list[float]]]
    cpu_seconds: float


async def score_trials(
    title: Title, group: Sequence[AnalysedSample], trials: Sequence[Trial], folder: Path, neg_crf: int | None
) -> Scored:
    """Score `trials` on the frames of `group`. `neg_crf`: VMAF NEG too, of the trials with this CRF."""
    width, height = title.compared
    at_once = max(1, MAX_CONCURRENT_PIXELS // (width * height))
    frames, cpu_seconds = sum(one.frames for one in group), 0.0
    values: list[tuple[list[float], list[float]]] = []
    for first in range(0, len(trials), at_once):
        some = list(enumerate(trials))[first : first + at_once]
        finished = await process.run(
            score_arguments(title, some, folder, neg_crf),
            timeout_seconds=_TIMEOUT_BASE_SECONDS + _TIMEOUT_PER_FRAME_SECONDS * frames * len(some),
            memory_bytes=title.memory_bytes,
            cwd=folder,
        )
        cpu_seconds += finished.cpu_seconds
        for number, trial in some:
            log = msgspec.json.decode((folder / f"{number}.json").read_bytes(), type=_Log)
            if len(log.frames) != -(-frames // SUBSAMPLE):
                raise ProcessFailed(
                    f"Trial {trial.width}x{trial.height}: {len(log.frames)} frames could be compared instead of "
                    f"{-(-frames // SUBSAMPLE)}. {finished.stderr_tail}".strip()
                )
            metrics = [frame.metrics for frame in log.frames]
            values.append(
                ([one.vmaf for one in metrics], [one.vmaf_neg for one in metrics if one.vmaf_neg is not None])
            )
    return Scored(values, cpu_seconds)


def score_arguments(title: Title, trials: Sequence[tuple[int, Trial]], folder: Path, neg_crf: int | None) -> list[str]:
    """The command that scores the numbered trials of `folder`. It writes `0.json`, `1.json`... into its working folder."""
    width, height = title.compared
    reference = _counted(ffmpeg.input(str(folder / "reference.nut"), protocol_whitelist="file", threads=1), title)
    pictures = []
    for number, trial in trials:
        opened = ffmpeg.input(str(folder / f"{number}.mp4"), protocol_whitelist="file", threads=1)
        model = _model(min(width, height), neg=trial.crf == neg_crf)
        pictures.append(Compared(_counted(opened, title), model, f"{number}.json"))
    return vmaf_command(reference, pictures, subsample=SUBSAMPLE, threads=1, options=("-filter_complex_threads", "1"))


def _counted(opened: Any, title: Title) -> Any:
    """Frames numbered from 0, at the common size."""
    rate, (width, height) = Fraction(title.settings.frame_rate), title.compared
    return (
        opened["v:0"]
        .filter("settb", expr=f"{rate.denominator}/{rate.numerator}")
        .filter("setpts", expr="N")
        .filter("scale", w=width, h=height, flags="bicubic")
        .filter("format", pix_fmts="yuv420p")
        .filter("setsar", sar="1")
    )


def _model(lines: int, *, neg: bool) -> str:
    name = "vmaf_4k_v0.6.1" if lines > UHD_LINES else "vmaf_v0.6.1"
    plain = f"version={name}:name=vmaf"
    return f"{plain}|version={name}neg:name=vmaf_neg" if neg else plain
