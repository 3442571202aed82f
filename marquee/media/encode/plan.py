"""Turns a judged source and a profile into a plan: ladder, frame grid, chunks, and a job a chunk and codec. Pure.

The picture's measured rate becomes one constant rate. Every rung has the same GOPs, so that players can switch anywhere. A
source in which chunks cannot seek is cut into at most six chunks, because each of them is decoded from the film's start: six
cost three and a half extra decodes, about 15 % of the encode. Without the bound, the cost would grow with the square of the
length.
A job's id is the content address of its result: a hash of the source's hash, the frames and the settings. Next: `transcode`.
"""

import hashlib
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from marquee.documents import (
    AnalysisDocument,
    Chunk,
    ChunkJob,
    Codec,
    EncodingSettings,
    PlanDocument,
    Rung,
    SourceDocument,
    VideoStream,
    keys,
)
from marquee.domain import grid
from marquee.domain.ladder import in_codec, rungs_for
from marquee.domain.title_ladder import distinct, rungs_by_title, with_codecs_crf
from marquee.media.encode.encoders import ENCODERS
from marquee.media.encode.filters import picture_chain
from marquee.media.encode.plan_notes import plan_notes
from marquee.notes import note
from marquee.profiles.contract import Av1Video, Profile, VideoProfile

MAX_UNSEEKABLE_CHUNKS: Final = 6
"""Chunks of a source in which chunks cannot seek; see above for the cost."""


def plan(
    source: SourceDocument,
    profile: Profile,
    *,
    chunk_segments: int,
    encoders: Mapping[Codec, str],
    analysis: AnalysisDocument | None = None,
) -> PlanDocument:
    """The plan of `source` by `profile`, in chunks of `chunk_segments` segments.

    `encoders` names each codec's encoder and its version: another version makes other bytes, and so other job ids. With the rungs
    that an `analysis` chose for this profile, the ladder is the title's own, else the fixed one.
    """
    video = source.video
    rate = grid.output_rate(video.rate)
    segment = grid.segment_frames(rate, profile.gop_seconds, profile.gops_per_segment)
    total = grid.frame_count(Fraction(video.duration_seconds).limit_denominator(1_000_000), rate)
    rungs = rungs_for(video.display_width, video.display_height, rate, profile.lines)
    if analysis is not None and analysis.rungs and profile.ladder == "by-title":
        rungs = rungs_by_title(analysis.rungs, rungs)
    h264_crf = profile.videos[0].crf
    settings, *others = [
        _encoding(video, one, of_codec, rate, profile, encoders[one.codec])
        for one in profile.videos
        # A codec whose `max_lines` is below every rung of this title is not made.
        if (of_codec := distinct(in_codec(with_codecs_crf(rungs, one, h264_crf), one, rate)))
    ]
    made = {one.codec for one in (settings, *others)}
    if not source.seekable:
        chunk_segments = max(chunk_segments, _segments_without_seeks(total, segment))
    return PlanDocument(
        movie_id=source.movie_id,
        version=source.version,
        total_frames=total,
        settings=settings,
        settings_hash=settings_hash(settings),
        chunks=grid.chunks(total, segment, chunk_segments),
        notes=[
            *plan_notes(video, settings.rungs, rate),
            *(
                note(
                    "codec-left-out",
                    codec=ENCODERS[one.codec].name,
                    why=f"the title has no rung of {one.max_lines} lines or fewer",
                )
                for one in profile.videos
                if one.codec not in made
            ),
        ],
        others=others,
        optional=[one.codec for one in profile.videos if one.optional and one.codec in made],
        profile=profile.identity,
        audio=profile.bitrates,
    )


def _encoding(
    video: VideoStream, wanted: VideoProfile, rungs: list[Rung], rate: Fraction, profile: Profile, encoder: str
) -> EncodingSettings:
    """The settings of one codec."""
    top = rungs[-1]
    return EncodingSettings(
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        gop_frames=grid.gop_frames(rate, profile.gop_seconds),
        segment_frames=grid.segment_frames(rate, profile.gop_seconds, profile.gops_per_segment),
        preset=str(wanted.preset),
        crf=wanted.crf,
        rungs=rungs,
        filters=picture_chain(video, rate, top.width, top.height, bit_depth=wanted.bit_depth),
        encoder=encoder,
        options_version=ENCODERS[wanted.codec].options_version,
        film_grain=wanted.film_grain if isinstance(wanted, Av1Video) else 0,
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


_LATER_SETTINGS: Final[Mapping[str, object]] = {"film_grain": 0}
_LATER_RUNG: Final[Mapping[str, object]] = {"bit_depth": 8, "crf": None}
"""Fields that came after the first release, with the value that says what that release did. Such a field is left out of the hash:
chunks of earlier releases stay valid."""


def settings_hash(settings: EncodingSettings) -> str:
    """The identity of encoding settings, a part of each chunk's identity."""
    told: dict[str, Any] = msgspec.to_builtins(settings)
    told = _without(told, _LATER_SETTINGS)
    told["rungs"] = [_without(rung, _LATER_RUNG) for rung in told["rungs"]]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _without(told: dict[str, Any], earlier: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in earlier or value != earlier[name]}


def with_rungs(plan: PlanDocument, rungs: list[Rung]) -> PlanDocument:
    """The plan with other rungs, all of one codec, of the same picture. Other codecs are left out.

    The largest must have the codec's largest size, which its filters make.
    """
    of_codec = next(one for one in plan.encodings if one.codec == rungs[0].codec)
    settings = msgspec.structs.replace(of_codec, rungs=rungs)
    return msgspec.structs.replace(plan, settings=settings, settings_hash=settings_hash(settings), others=[])


def chunk_of(plan: PlanDocument, frame: int) -> Chunk:
    """The chunk that holds the title's `frame`. Raises `StopIteration` for a frame behind the end."""
    return next(one for one in plan.chunks if one.start_frame <= frame < one.start_frame + one.frames)


def chunk_jobs(plan: PlanDocument, source: SourceDocument, settings: EncodingSettings | None = None) -> list[ChunkJob]:
    """One job for each chunk of the plan, in order, in the codec of `settings` (None: H.264).

    Equal content has equal job ids, whichever title it belongs to.
    """
    jobs = []
    encoding = settings or plan.settings
    # A stored plan keeps its hash, whichever release made it.
    identity = plan.settings_hash if encoding == plan.settings else settings_hash(encoding)
    rate, begins = Fraction(plan.settings.frame_rate), Fraction(source.video.start_seconds)
    for chunk in plan.chunks:
        content = f"{source.sha256} {chunk.start_frame} {chunk.frames} {identity}"
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
                settings=encoding,
                result_prefix=keys.chunk_prefix(job_id),
            )
        )
    return jobs


def _of_chunk(source: SourceDocument, begins: Fraction, seconds: Fraction) -> SourceDocument:
    """The source with the decoded frames of one chunk alone: every job has a copy of it."""
    if source.frames is None:
        return source
    return msgspec.structs.replace(source, frames=source.frames.between(begins, begins + seconds))
