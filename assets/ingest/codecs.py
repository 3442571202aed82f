"""The chunks of a title in its other codecs: queued behind H.264's, waited for after them, merged with them.

Each codec has jobs of its own. So viewers' H.264 is made first, a title that gets one more codec keeps its H.264 chunks, and an
optional codec fails alone: it is left out with a note, and the title is published. The stage `renditions` calls this.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from assets.ingest.chunks import Chunks
from assets.ingest.raised_rung import raise_poor_rung, with_raised_rung
from assets.ingest.stage import Stage
from assets.metadata import first_words
from marquee.documents import ChunkResult, Codec, EncodingSettings, PlanDocument, Rung, SourceDocument
from marquee.errors import ChunkFailed
from marquee.media.encode.encoders import ENCODERS
from marquee.media.encode.plan import chunk_jobs, with_rungs
from marquee.notes import Note, note

CODEC_NAMES: Final[dict[Codec, str]] = {codec: encoder.name for codec, encoder in ENCODERS.items()}


class EncodedCodec(NamedTuple):
    """One codec of a title as it was encoded: its rungs, every chunk's result in order, what of that was found done, notes."""

    rungs: list[Rung]
    results: list[ChunkResult]
    reused: list[bool]
    notes: list[Note]
    cpu_seconds: float


def share_of(plan: PlanDocument, codec: Codec) -> tuple[float, float]:
    """From where to where the encode of one codec takes the stage's progress."""
    codecs = [one.codec for one in plan.encodings]
    place = codecs.index(codec)
    return place / len(codecs), (place + 1) / len(codecs)


async def queue_others(
    stage: Stage, plan: PlanDocument, source: SourceDocument
) -> list[tuple[EncodingSettings, Chunks]]:
    """Queue the chunks of every codec but H.264."""
    found = []
    for encoding in plan.others:
        chunks = Chunks(
            stage,
            chunk_jobs(plan, source, encoding),
            span=share_of(plan, encoding.codec),
            fails_alone=encoding.codec in plan.optional,
        )
        await chunks.queue()
        found.append((encoding, chunks))
    return found


async def wait_for_others(
    stage: Stage, plan: PlanDocument, source: SourceDocument, queued: Sequence[tuple[EncodingSettings, Chunks]]
) -> tuple[list[EncodedCodec], list[Note]]:
    """The other codecs as they were encoded, and a note for each optional one that failed.

    Raises `ChunkFailed` for one that is not optional.
    """
    found, left_out = [], []
    for encoding, chunks in queued:
        try:
            found.append(
                await finished(stage, with_rungs(plan, encoding.rungs), source, await chunks.wait(), chunks.reused)
            )
        except ChunkFailed as failed:
            if encoding.codec not in plan.optional:
                raise
            why = first_words(failed.detail)
            left_out.append(note("codec-left-out", codec=CODEC_NAMES[encoding.codec], why=why))
    return found, left_out


async def finished(
    stage: Stage, plan: PlanDocument, source: SourceDocument, results: list[ChunkResult], reused: list[bool]
) -> EncodedCodec:
    """One codec (`plan` has its settings alone), with a poor top rung encoded once more."""
    made = [result for result, had in zip(results, reused, strict=True) if not had]
    rungs, notes = plan.settings.rungs, []
    if better := await raise_poor_rung(stage, source, plan, results):
        made += [result for result, had in zip(better.results, better.reused, strict=True) if not had]
        results, rungs, notes = with_raised_rung(results, better), [*rungs[:-1], better.rung], [better.note]
    return EncodedCodec(rungs, results, reused, notes, sum(result.cpu_seconds for result in made))


def merged(codecs: Sequence[EncodedCodec]) -> list[ChunkResult]:
    """Every chunk's result with the parts of all codecs, in the order of the codecs."""
    return [_together(results) for results in zip(*(one.results for one in codecs), strict=True)]


def _together(results: Sequence[ChunkResult]) -> ChunkResult:
    if len(results) == 1:
        return results[0]
    return msgspec.structs.replace(
        results[0],
        parts=[part for one in results for part in one.parts],
        cpu_seconds=sum(one.cpu_seconds for one in results),
        wall_seconds=sum(one.wall_seconds for one in results),
        worker=", ".join(sorted({one.worker for one in results})),
        decoded_again=any(one.decoded_again for one in results),
    )
