"""Turns a judged source into a plan: ladder, frame grid, chunks, and the jobs that workers take. Pure.

The picture's true rate becomes one constant rate; every rung has the same GOPs, so that players switch anywhere. A
source that cannot be sought is cut into at most six chunks, because each of them is decoded from the film's start:
that costs three and a half decodes more, some 15 % of the encode, instead of growing with the square of the length.
A job's id is the content address of its result: the source's hash, the frames, the settings.
"""

import hashlib
import math
from fractions import Fraction
from typing import Final

import msgspec

from marquee.documents import ChunkJob, EncodingSettings, PlanDocument, SourceDocument, keys
from marquee.domain import grid
from marquee.domain.ladder import rungs_for
from marquee.media.encode.filters import picture_chain

MAX_UNSEEKABLE_CHUNKS: Final = 6


def plan(source: SourceDocument, *, preset: str, chunk_segments: int, encoder: str) -> PlanDocument:
    """The plan of `source`. `encoder` names the encoder and its version: another one makes other bytes."""
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
        chunk_segments = max(chunk_segments, math.ceil(total / segment / MAX_UNSEEKABLE_CHUNKS))
    return PlanDocument(
        movie_id=source.movie_id,
        version=source.version,
        total_frames=total,
        settings=settings,
        settings_hash=hashlib.sha256(msgspec.json.encode(settings)).hexdigest(),
        chunks=grid.chunks(total, segment, chunk_segments),
    )


def chunk_jobs(plan: PlanDocument, source: SourceDocument) -> list[ChunkJob]:
    """One job a chunk, in order."""
    jobs = []
    for chunk in plan.chunks:
        content = f"{source.sha256} {chunk.start_frame} {chunk.frames} {plan.settings_hash}"
        job_id = hashlib.sha256(content.encode()).hexdigest()
        jobs.append(
            ChunkJob(
                job_id=job_id,
                movie_id=plan.movie_id,
                version=plan.version,
                source=source,
                chunk=chunk,
                settings=plan.settings,
                result_prefix=keys.chunk_prefix(job_id),
            )
        )
    return jobs
