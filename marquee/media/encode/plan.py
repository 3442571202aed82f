"""Turns a judged source into a plan: ladder, frame grid, chunks, and one job a chunk for the workers. Pure.

The picture's measured rate becomes one constant rate. Every rung has the same GOPs, so that players can switch anywhere. A
source in which chunks cannot seek is cut into at most six chunks, because each of them is decoded from the film's start: six
cost three and a half extra decodes, about 15 % of the encode. Without the bound, the cost would grow with the square of the
length.
A job's id is the content address of its result: a hash of the source's hash, the frames and the settings. Next: `transcode`.
"""

import hashlib
import math
from fractions import Fraction
from typing import Final

import msgspec

from marquee.documents import Chunk, ChunkJob, EncodingSettings, PlanDocument, Rung, SourceDocument, keys
from marquee.domain import grid
from marquee.domain.ladder import rungs_for
from marquee.media.encode.filters import picture_chain
from marquee.media.encode.plan_notes import plan_notes

MAX_UNSEEKABLE_CHUNKS: Final = 6
"""Chunks of a source in which chunks cannot seek; see above for the cost."""


def plan(source: SourceDocument, *, preset: str, chunk_segments: int, encoder: str) -> PlanDocument:
    """The plan of `source`, in chunks of `chunk_segments` segments.

    `preset` is x264's. `encoder` names the encoder and its version: another version makes other bytes, and so other job ids.
    """
    video = source.video
    rate = grid.output_rate(video.rate)
    segment = grid.segment_frames(rate)
    total = grid.frame_count(Fraction(video.duration_seconds).limit_denominator(1_000_000), rate)
    rungs = rungs_for(video.display_width, video.display_height, rate)
    top = rungs[-1]
    settings = EncodingSettings(
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        gop_frames=grid.gop_frames(rate),
        segment_frames=segment,
        preset=preset,
        rungs=rungs,
        filters=picture_chain(video, rate, top.width, top.height),
        encoder=encoder,
    )
    if not source.seekable:
        chunk_segments = max(chunk_segments, _segments_without_seeks(total, segment))
    return PlanDocument(
        movie_id=source.movie_id,
        version=source.version,
        total_frames=total,
        settings=settings,
        settings_hash=settings_hash(settings),
        chunks=grid.chunks(total, segment, chunk_segments),
        notes=plan_notes(video, rungs, rate),
    )


def without_seeks(plan: PlanDocument, source: SourceDocument) -> tuple[PlanDocument, SourceDocument]:
    """The plan and the source of a film in which seeks do not hold after all: few chunks, each decoded from the film's start."""
    segment = plan.settings.segment_frames
    chunks = grid.chunks(plan.total_frames, segment, _segments_without_seeks(plan.total_frames, segment))
    return (
        msgspec.structs.replace(plan, chunks=chunks),
        msgspec.structs.replace(source, seekable=False, frames=None),
    )


def _segments_without_seeks(total: int, segment: int) -> int:
    return math.ceil(total / segment / MAX_UNSEEKABLE_CHUNKS)


def settings_hash(settings: EncodingSettings) -> str:
    """The identity of encoding settings, a part of each chunk's identity."""
    return hashlib.sha256(msgspec.json.encode(settings)).hexdigest()


def with_rungs(plan: PlanDocument, rungs: list[Rung]) -> PlanDocument:
    """The plan with other rungs of the same picture; the largest must have the plan's largest size, which its filters make."""
    settings = msgspec.structs.replace(plan.settings, rungs=rungs)
    return msgspec.structs.replace(plan, settings=settings, settings_hash=settings_hash(settings))


def chunk_of(plan: PlanDocument, frame: int) -> Chunk:
    """The chunk that holds the title's `frame`. Raises `StopIteration` for a frame behind the end."""
    return next(one for one in plan.chunks if one.start_frame <= frame < one.start_frame + one.frames)


def chunk_jobs(plan: PlanDocument, source: SourceDocument) -> list[ChunkJob]:
    """One job for each chunk of the plan, in order. Equal content has equal job ids, whichever title it belongs to."""
    jobs = []
    rate, begins = Fraction(plan.settings.frame_rate), Fraction(source.video.start_seconds)
    for chunk in plan.chunks:
        content = f"{source.sha256} {chunk.start_frame} {chunk.frames} {plan.settings_hash}"
        if source.video.captioned:
            # Chunks of earlier releases carry the source's captions: they are not taken again.
            content += " without captions"
        if source.seekable and chunk.start_frame > 0:
            # Earlier releases did not prove their seeks: such a chunk may be rubble, and is not taken again.
            content += " proven"
        job_id = hashlib.sha256(content.encode()).hexdigest()
        jobs.append(
            ChunkJob(
                job_id=job_id,
                movie_id=plan.movie_id,
                version=plan.version,
                source=_of_chunk(source, begins + chunk.start_frame / rate, chunk.frames / rate),
                chunk=chunk,
                settings=plan.settings,
                result_prefix=keys.chunk_prefix(job_id),
            )
        )
    return jobs


def _of_chunk(source: SourceDocument, begins: Fraction, seconds: Fraction) -> SourceDocument:
    """The source with the decoded frames of one chunk alone: every job has a copy of it."""
    if source.frames is None:
        return source
    return msgspec.structs.replace(source, frames=source.frames.between(begins, begins + seconds))
