"""Scores renditions against their source by VMAF, on a sample of segments: a full score costs as much as the encode.

The source goes through the very filters that the renditions were made with, only to the size at which it is compared (its
own, within bounds), and every rendition is scaled up to that, as on a viewer's screen. Both are counted from the same frame
of the title's grid, so frame n is compared with frame n. The source is decoded once for all rungs, of a 4K picture once for a
few of them. The blocking check on the top rung and the ladder's plot read the result.
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
from marquee.media.encode.filters import apply, chunk_chain, picture_chain
from marquee.media.encode.transcode import source_picture
from marquee.media.programs import binaries, process

SUBSAMPLE: Final = 3
"""Every third frame is scored, which halves the cost; motion is still measured over all. Three does not beat with the
pyramids of B-frames (four): on 16 s of 720p the means of a sample were within 1.2 of those over every frame, five were
within 1.6 and saved little more."""
MAX_SEGMENTS: Final = 20
"""Twenty places spread over a title; more would cost more and hardly move the mean."""
MAX_UNSEEKABLE_SEGMENTS: Final = 3
"""Where a source cannot be sought, the way to each sample is decoded: three cost a decode and a half of the film."""
MAX_CONCURRENT_PIXELS: Final = 4 * 3840 * 2160
"""As many rungs are scored in one command as keep its memory well below 4 GiB: six at once of 3840 x 2160 take 2.6 GB."""
MIN_SIDE_PIXELS: Final = 64
"""libvmaf halves the picture four times and dies of SIGSEGV where nothing is left (a side of 16): less is compared enlarged."""
MAX_PIXELS: Final = 3840 * 2160
"""The model for 4K screens knows no larger one; an 8K source is compared at this size, in a quarter of the memory."""
UHD_LINES: Final = 1440
"""Above this the model for 4K screens is meant (viewing distance 1.5 heights instead of 3)."""


class Sample(msgspec.Struct, frozen=True):
    start_frame: int
    frames: int


class _Pooled(msgspec.Struct, frozen=True):
    vmaf: float


class _Frame(msgspec.Struct, frozen=True):
    metrics: _Pooled


class _Log(msgspec.Struct, frozen=True):
    frames: list[_Frame]


def samples(plan: PlanDocument, max_share: float, *, maximum: int = MAX_SEGMENTS) -> list[Sample]:
    """What is scored: at most `max_share` of the segments, at least one, spread evenly.

    Of each, the middle GOP stands for the whole: for the same cost, many short places tell more than few long ones, and
    every GOP is coded alike. A title shorter than a GOP is scored whole.
    """
    segment, gop, total = plan.settings.segment_frames, plan.settings.gop_frames, plan.total_frames
    count = max(1, min(maximum, int(total / segment * max_share)))
    gops, in_segment = max(1, total // gop), segment // gop
    # The middle GOP of the middle segment of each of `count` equal stretches of the title.
    middles = [gops * (2 * index + 1) // (2 * count) for index in range(count)]
    places = [min(gops - 1, middle // in_segment * in_segment + in_segment // 2) for middle in middles]
    return [Sample(place * gop, min(gop, total - place * gop)) for place in places]


def compared_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a source shown at `width` x `height` is compared: its own, within what libvmaf bears; even."""
    shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
    return max(MIN_SIDE_PIXELS, even(width * shrink)), max(MIN_SIDE_PIXELS, even(height * shrink))


def _reference(source: SourceDocument, source_path: Path, plan: PlanDocument, sample: Sample, threads: int) -> Any:
    """The source's frames of `sample`, at the size at which they are compared."""
    video, rate = source.video, Fraction(plan.settings.frame_rate)
    at = float(sample.start_frame / rate) if source.seekable and sample.start_frame > 0 else None
    picture = source_picture(source, source_path, at_seconds=at, threads=threads)
    size = compared_size(video.display_width, video.display_height)
    chain = picture_chain(video, rate, *size)
    return apply(picture, chunk_chain(chain, sample.start_frame, sample.frames))


def _distorted(path: Path, rate: Fraction, size: tuple[int, int], sample: Sample, threads: int) -> Any:
    """A rendition's frames of `sample`, scaled to the size at which they are compared and numbered from 0.

    A sample starts at a key frame, and what is asked for is half a frame after it: the demuxer goes back to exactly that
    key frame, and nothing before it is decoded.
    """
    at = float((sample.start_frame + Fraction(1, 2)) / rate)
    options: dict[str, Any] = {"ss": f"{at:.6f}", "noaccurate_seek": None, "threads": threads}
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


def score_arguments(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    sample: Sample,
    *,
    threads: int,
) -> list[str]:
    """The command that scores one sample of every rendition; it writes `0.json`, `1.json`... where it is run."""
    size = compared_size(source.video.display_width, source.video.display_height)
    rate = Fraction(plan.settings.frame_rate)
    reference = _reference(source, source_path, plan, sample, threads)
    shares = reference.filter_multi_output("split", len(renditions)) if len(renditions) > 1 else [reference]
    outputs = []
    for index, (_, path) in enumerate(renditions):
        share = shares[index] if len(renditions) > 1 else reference
        compared = ffmpeg.filter(
            [_distorted(path, rate, size, sample, threads), share],
            "libvmaf",
            model="version=vmaf_4k_v0.6.1" if min(size) > UHD_LINES else "version=vmaf_v0.6.1",
            n_threads=threads,
            n_subsample=SUBSAMPLE,
            log_fmt="json",
            log_path=f"{index}.json",
            eof_action="endall",
        )
        outputs.append(ffmpeg.output(compared, "-", format="null"))
    argv: list[str] = (
        ffmpeg.merge_outputs(*outputs)
        .global_args("-hide_banner", "-nostdin", "-loglevel", "error")
        .compile(cmd=str(binaries.vmaf_ffmpeg()))
    )
    return argv


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
    """Score every rendition on the same sample of at most `max_share` of the title's segments.

    Raises `ProcessFailed` where a rendition has fewer frames in a sample than the source.
    """
    width, height = compared_size(source.video.display_width, source.video.display_height)
    at_once = max(1, MAX_CONCURRENT_PIXELS // (width * height))
    found: list[QualityScore] = []
    for first in range(0, len(renditions), at_once):
        some = renditions[first : first + at_once]
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
    taken = samples(plan, max_share, maximum=MAX_SEGMENTS if source.seekable else MAX_UNSEEKABLE_SEGMENTS)
    found: list[list[float]] = [[] for _ in renditions]
    cpu_seconds = 0.0
    for sample in taken:
        with tempfile.TemporaryDirectory() as made:
            finished = await process.run(
                score_arguments(source, source_path.absolute(), plan, renditions, sample, threads=threads),
                # 1 fps a rung at worst (4K on a slow core), and the way to the sample where the source cannot be sought.
                timeout_seconds=300 + sample.frames * len(renditions) + sample.start_frame / 10,
                memory_bytes=memory_bytes,
                cwd=Path(made),
            )
            cpu_seconds += finished.cpu_seconds
            for index, (rung, _) in enumerate(renditions):
                log = msgspec.json.decode((Path(made) / f"{index}.json").read_bytes(), type=_Log)
                expected = -(-sample.frames // SUBSAMPLE)
                if len(log.frames) != expected:
                    raise ProcessFailed(
                        f"Of rendition {rung.name}, {len(log.frames)} frames from frame {sample.start_frame} on could be "
                        f"compared with the source instead of {expected}. {finished.stderr_tail}".strip()
                    )
                found[index] += [frame.metrics.vmaf for frame in log.frames]
    return [
        QualityScore(
            rung=rung.name,
            vmaf_mean=sum(values) / len(values),
            vmaf_min=min(values),
            frames_scored=len(values),
            segments_scored=len(taken),
            cpu_seconds=cpu_seconds / len(renditions),
        )
        for (rung, _), values in zip(renditions, found, strict=True)
    ]


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
    """Score one rendition; see `scores`."""
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
