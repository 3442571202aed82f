"""Gives the top rung more bits, once, if the bits that the ladder gives it leave the picture below the platform's quality floor.

Only the bitrate's limit can do this: the encoder works at constant quality below it. So a top rung is scored here only if it
averages `LIMITED_SHARE` of its maximum. Its chunks are queued again as jobs of that rung alone, with
`domain.ladder.raised` bits; all other rungs stay as they are. `quality` scores what comes out, and notes it if it is still poor.
"""

from collections.abc import Sequence
from fractions import Fraction
from statistics import fmean
from typing import Final, NamedTuple

import msgspec

from assets.ingest.chunks import Chunks
from assets.ingest.publishing import fetch_files
from assets.ingest.stage import Stage
from assets.metadata import kilobits
from marquee.documents import ChunkResult, PlanDocument, Rung, SourceDocument
from marquee.domain.figures import beside_limit
from marquee.domain.ladder import raised
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.plan import chunk_jobs, chunk_of, with_rungs
from marquee.media.encode.quality import score_sample
from marquee.media.encode.samples import MAX_SAMPLE_SHARE, taken_samples
from marquee.media.package.verify import is_large_enough_for_vmaf
from marquee.notes import Note, note

LIMITED_SHARE: Final = 0.6
"""Of the rung's maximum. A title that averages less is, for the most part, as good as the encoder's constant quality makes it."""


class RaisedRung(NamedTuple):
    """The top rung as it was encoded again: every chunk's result, whether each was found done, and the note."""

    rung: Rung
    results: list[ChunkResult]
    reused: list[bool]
    note: Note


async def raise_poor_rung(
    stage: Stage, source: SourceDocument, plan: PlanDocument, results: Sequence[ChunkResult]
) -> RaisedRung | None:
    """The top rung of `plan` (of one codec) with more bits; None if its picture is not below the floor for lack of bits."""
    top, rate = plan.settings.rungs[-1], Fraction(plan.settings.frame_rate)
    better = raised(top, rate)
    if better == top or not is_large_enough_for_vmaf(top.width, top.height) or not _is_limited(plan, top, results):
        return None
    found, floor = await _score(stage, source, plan, top, results), stage.settings.quality_floor_vmaf
    if found >= floor:
        return None
    chunks = Chunks(stage, chunk_jobs(with_rungs(plan, [better]), source))
    await chunks.queue()
    told = note(
        "bitrate-raised",
        rung=top.name,
        score=beside_limit(found, floor, 1),
        floor=f"{floor:g}",
        rate=kilobits(top.bitrate_bps),
        raised=kilobits(better.bitrate_bps),
    )
    return RaisedRung(better, await chunks.wait(), chunks.reused, told)


def with_raised_rung(results: Sequence[ChunkResult], better: RaisedRung) -> list[ChunkResult]:
    """The chunks' results, with the raised rung's parts in place of the rung's first ones."""
    return [
        msgspec.structs.replace(
            one,
            parts=[*(part for part in one.parts if part.rung != better.rung.name), *again.parts],
            cpu_seconds=one.cpu_seconds + again.cpu_seconds,
            wall_seconds=one.wall_seconds + again.wall_seconds,
            decoded_again=one.decoded_again or again.decoded_again,
        )
        for one, again in zip(results, better.results, strict=True)
    ]


def _is_limited(plan: PlanDocument, rung: Rung, results: Sequence[ChunkResult]) -> bool:
    """Whether the rung's maximum limits most of the title."""
    size = sum(part.size_bytes for one in results for part in one.parts if part.rung == rung.name)
    return 8 * size / plan.duration_seconds >= LIMITED_SHARE * rung.max_bitrate_bps


async def _score(
    stage: Stage, source: SourceDocument, plan: PlanDocument, rung: Rung, results: Sequence[ChunkResult]
) -> float:
    """The rung's mean VMAF, on the sample that `quality` will score. Only the sample's chunks are fetched."""
    found: list[float] = []
    async with (
        work_folder(stage.settings.state, f"raised-{stage.movie_id}") as folder,
        stage.hold_source(source) as source_path,
    ):
        for sample in taken_samples(source, plan, MAX_SAMPLE_SHARE):
            chunk = chunk_of(plan, sample.start_frame)
            (part,) = [part for part in results[chunk.index].parts if part.rung == rung.name]
            path = folder / f"{chunk.index}.mp4"
            if not path.exists():
                await fetch_files(stage.stores.objects, {part.key: path})
            (values,), _ = await score_sample(
                source,
                source_path,
                plan,
                [(rung, path)],
                sample,
                memory_bytes=stage.settings.process_memory_bytes,
                starts_at=chunk.start_frame,
            )
            found += values
    return fmean(found)
