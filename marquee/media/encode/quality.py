"""Scores renditions against their source by VMAF, on a sample of the segments: a full score costs as much as the encode.

The source goes through the same filters as in the encode, but is scaled to the size of comparison (its own, within bounds).
Every rendition is scaled up to that size, as on a viewer's screen. Both are cut at the same frame of the title's
grid, so frame n is compared with frame n. One ffmpeg command scores several rungs, so the source is decoded once for all
of them. The reference is never trusted to a seek: every picture of it is proven against the linear decode, or it is decoded from
the film's start. Memory bounds how many (see `MAX_CONCURRENT_PIXELS`). Read by the blocking check on the top rung
(`package.verify.poor_picture`) and by the ladder's plot.
"""

import math
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import ffmpeg
import msgspec

from marquee.documents import PlanDocument, QualityScore, Rung, SourceDocument
from marquee.domain.ladder import even
from marquee.errors import ProcessFailed
from marquee.media.encode.filter_text import apply, chunk_chain
from marquee.media.encode.filters import picture_chain
from marquee.media.encode.samples import Sample, sample_timeout, taken_samples
from marquee.media.encode.seek_proof import prove_seek
from marquee.media.encode.transcode import source_picture
from marquee.media.encode.vmaf import Compared, vmaf_command
from marquee.media.programs import process

SUBSAMPLE: Final = 3
"""Only every third frame is scored: half the cost. Motion is still measured over all frames. Three shares no factor with the
pyramids of B-frames (four frames). On 16 s of 720p, the means of a sample were within 1.2 of those over every frame. Every
fifth frame was within 1.6 and saved little more."""
MAX_CONCURRENT_PIXELS: Final = 4 * 3840 * 2160
"""Pixels of all rungs that one command scores. Keeps its memory well below 4 GiB: six rungs at 3840 x 2160 take 2.6 GB."""
MIN_SIDE_PIXELS: Final = 64
"""Smaller pictures are enlarged to this side. libvmaf halves the picture four times, and dies of SIGSEGV at a side of 16."""
MAX_PIXELS: Final = 3840 * 2160
"""The largest picture that is compared: the model for 4K screens ends there. An 8K source is scaled down to it, which takes a
quarter of the memory."""
UHD_LINES: Final = 1440
"""Above this, VMAF's model for 4K screens is used (viewing distance of 1.5 screen heights instead of 3)."""


class _Pooled(msgspec.Struct, frozen=True):
    vmaf: float


class _Frame(msgspec.Struct, frozen=True):
    metrics: _Pooled


class _Log(msgspec.Struct, frozen=True):
    frames: list[_Frame]


def compared_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a source shown at `width` x `height` is compared: its own, within libvmaf's bounds, in even numbers."""
    shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
    return max(MIN_SIDE_PIXELS, even(width * shrink)), max(MIN_SIDE_PIXELS, even(height * shrink))


def _reference(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    sample: Sample,
    margin_seconds: float | None,
    threads: int,
) -> Any:
    """The source's frames of `sample`, at the size of comparison. `margin_seconds`: see `score_arguments`."""
    video, rate = source.video, Fraction(plan.settings.frame_rate)
    picture = source_picture(
        source, source_path, sample.start_frame / rate, margin_seconds=margin_seconds, threads=threads
    )
    size = compared_size(video.display_width, video.display_height)
    chain = picture_chain(video, rate, *size)
    return apply(picture, chunk_chain(chain, sample.start_frame, sample.frames))


def _distorted(path: Path, rate: Fraction, size: tuple[int, int], sample: Sample, threads: int, starts_at: int) -> Any:
    """A rendition's frames of `sample`, scaled to the size of comparison and numbered from 0.

    The seek goes half a frame before the sample, and what comes before that is decoded and dropped: a segment has several
    fragments, and its index names the first one alone, so the demuxer may go back to an earlier key frame than the sample's.
    """
    at = float(max(Fraction(0), sample.start_frame - starts_at - Fraction(1, 2)) / rate)
    options: dict[str, Any] = {"ss": f"{at:.6f}", "threads": threads}
    opened = ffmpeg.input(str(path), protocol_whitelist="file", **options)
    width, height = size
    return (
        opened["v:0"]
        .filter("trim", end_frame=sample.frames)
        .filter("settb", expr=f"{rate.denominator}/{rate.numerator}")
        .filter("setpts", expr="N")
        .filter("scale", w=width, h=height, flags="bicubic")
        .filter("format", pix_fmts="yuv420p")
        .filter("setsar", sar="1")
    )


def compared_pair(
    source: SourceDocument, source_path: Path, plan: PlanDocument, path: Path, sample: Sample
) -> list[Any]:
    """The frames of `sample`, of the rendition in `path` and of the source (linear decode), at the size of comparison."""
    size = compared_size(source.video.display_width, source.video.display_height)
    rate = Fraction(plan.settings.frame_rate)
    return [_distorted(path, rate, size, sample, 1, 0), _reference(source, source_path, plan, sample, None, 1)]


def score_arguments(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    sample: Sample,
    *,
    margin_seconds: float | None,
    threads: int,
    starts_at: int = 0,
) -> list[str]:
    """The command that scores one sample of every rendition. It writes `0.json`, `1.json`... into its working folder.

    The reference is decoded from `margin_seconds` before the sample, where every picture of the sample was proven to be that of
    the linear decode; None: from the film's start.
    `starts_at` is the title's frame with which the renditions' files begin.
    """
    size = compared_size(source.video.display_width, source.video.display_height)
    rate = Fraction(plan.settings.frame_rate)
    reference = _reference(source, source_path, plan, sample, margin_seconds, threads)
    model = "version=vmaf_4k_v0.6.1" if min(size) > UHD_LINES else "version=vmaf_v0.6.1"
    pictures = [
        Compared(_distorted(path, rate, size, sample, threads, starts_at), model, f"{index}.json")
        for index, (_, path) in enumerate(renditions)
    ]
    return vmaf_command(reference, pictures, subsample=SUBSAMPLE, threads=threads)


async def scores(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    *,
    max_share: float = 0.1,
    threads: int = 1,
    memory_bytes: int | None = None,
) -> list[QualityScore]:
    """Score every rendition on the same samples, of at most `max_share` of the title's segments (0 to 1).

    Returns one score a rendition, in the same order; VMAF is 0 to 100. Raises `ProcessFailed` if a rendition has fewer frames
    in a sample than the source.
    """
    width, height = compared_size(source.video.display_width, source.video.display_height)
    rungs_at_once = max(1, MAX_CONCURRENT_PIXELS // (width * height))
    found: list[QualityScore] = []
    for first in range(0, len(renditions), rungs_at_once):
        some = renditions[first : first + rungs_at_once]
        found += await _scores_at_once(source, source_path, plan, some, max_share, threads, memory_bytes)
    return found


async def _scores_at_once(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    max_share: float,
    threads: int,
    memory_bytes: int | None,
) -> list[QualityScore]:
    taken = taken_samples(source, plan, max_share)
    found: list[list[list[float]]] = [[] for _ in renditions]
    cpu_seconds = 0.0
    for sample in taken:
        values, cost = await score_sample(
            source, source_path, plan, renditions, sample, threads=threads, memory_bytes=memory_bytes
        )
        cpu_seconds += cost
        for frames, kept in zip(values, found, strict=True):
            kept.append(frames)
    return [
        _score_of(rung, taken, values, cpu_seconds / len(renditions))
        for (rung, _), values in zip(renditions, found, strict=True)
    ]


async def score_sample(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    sample: Sample,
    *,
    threads: int = 1,
    memory_bytes: int | None = None,
    starts_at: int = 0,
) -> tuple[list[list[float]], float]:
    """The VMAF of each scored frame of `sample`, a list for each rendition, and the CPU seconds. See `score_arguments`."""
    proof = await prove_seek(
        source,
        source_path,
        plan.settings,
        sample.start_frame,
        sample.frames,
        threads=threads,
        memory_bytes=memory_bytes,
    )
    arguments = score_arguments(
        source,
        source_path.absolute(),
        plan,
        renditions,
        sample,
        margin_seconds=proof.margin_seconds if proof else None,
        threads=threads,
        starts_at=starts_at,
    )
    found = []
    with tempfile.TemporaryDirectory() as made:
        finished = await process.run(
            arguments,
            timeout_seconds=sample_timeout(sample, len(renditions)),
            memory_bytes=memory_bytes,
            cwd=Path(made),
        )
        for index, (rung, _) in enumerate(renditions):
            log = msgspec.json.decode((Path(made) / f"{index}.json").read_bytes(), type=_Log)
            expected = -(-sample.frames // SUBSAMPLE)
            if len(log.frames) != expected:
                raise ProcessFailed(
                    f"Rendition {rung.name}: {len(log.frames)} frames from frame {sample.start_frame} on could be compared "
                    f"with the source instead of {expected}. {finished.stderr_tail}".strip()
                )
            found.append([frame.metrics.vmaf for frame in log.frames])
    return found, finished.cpu_seconds


def _score_of(rung: Rung, taken: Sequence[Sample], found: Sequence[list[float]], cpu_seconds: float) -> QualityScore:
    """The score of a rung by its frames' values, sample by sample."""
    values = [value for sample in found for value in sample]
    means = [sum(sample) / len(sample) for sample in found]
    return QualityScore(
        rung=rung.name,
        vmaf_mean=sum(values) / len(values),
        vmaf_min=min(values),
        frames_scored=len(values),
        segments_scored=len(taken),
        cpu_seconds=cpu_seconds,
        worst_start_frame=taken[means.index(min(means))].start_frame,
        worst_vmaf=min(means),
    )


async def score(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    rung: Rung,
    rendition_path: Path,
    *,
    max_share: float = 0.1,
    threads: int = 1,
    memory_bytes: int | None = None,
) -> QualityScore:
    """Score one rendition. See `scores`."""
    one = await scores(
        source,
        source_path,
        plan,
        [(rung, rendition_path)],
        max_share=max_share,
        threads=threads,
        memory_bytes=memory_bytes,
    )
    return one[0]
