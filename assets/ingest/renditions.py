"""Stage `renditions`: every chunk of the plan goes through the job queue. `chunks` queues them and waits.

Reads the documents of `source` and `plan`. The workers store `chunks/{job_id}/{attempt}/{rung}.mp4` in the ingest bucket.
Where too many chunks of a film had to be decoded from its start, both documents are replaced: no chunk seeks any more.
Next: `streams`.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import dagster as dg

from assets.ingest.chunks import Chunks, SeeksFail
from assets.ingest.codecs import finished, merged, queue_others, share_of, wait_for_others
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.plan import plan
from assets.ingest.stage import Stage, open_stage
from assets.metadata import kilobits, mebibytes, table
from marquee.documents import (
    ChunkResult,
    EncodingSettings,
    PlanDocument,
    Rendition,
    RenditionsDocument,
    Rung,
    SourceDocument,
)
from marquee.domain.lifecycle import SHOWN_VERSIONS
from marquee.media.encode.plan import MAX_UNSEEKABLE_CHUNKS, chunk_jobs, with_rungs, without_seeks
from marquee.notes import Note, note
from marquee.settings import Settings


@stage_asset(deps=[plan], partitions_def=titles, kinds={"ffmpeg", "postgres"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def renditions(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Every chunk in every rung, encoded by the transcode workers. This asset queues jobs, waits and collects results.

    A chunk that exists already, from this title or another with the same content, is not encoded again. A chunk that fails
    in every attempt fails the title with the encoder's own words. A top rung whose bits leave it below the quality floor is
    encoded once more with more bits.
    """
    async with open_stage(context, settings, "renditions") as stage:
        started = time.monotonic()
        encoded = await _encode(stage, await stage.read("plan", PlanDocument), await stage.read_source())
        document_plan, source = encoded.plan, encoded.source
        h264 = await finished(
            stage, with_rungs(document_plan, document_plan.settings.rungs), source, encoded.results, encoded.reused
        )
        others, left_out = await wait_for_others(stage, document_plan, source, encoded.others)
        codecs = [h264, *others]
        results = merged(codecs)
        again = encoded.notes or _notes(results)
        document = RenditionsDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            renditions=_renditions(document_plan, [rung for one in codecs for rung in one.rungs], results),
            chunk_results=results,
            reused_chunks=sum(sum(one.reused) for one in codecs),
            cpu_seconds=encoded.lost_cpu_seconds + sum(one.cpu_seconds for one in codecs),
            wall_seconds=time.monotonic() - started,
            notes=[*again, *(told for one in codecs for told in one.notes), *left_out],
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(document_plan.settings_hash), metadata=_metadata(document_plan, document)
        )


class Encoded(NamedTuple):
    """Every chunk's result, and the plan and source by which they were made."""

    plan: PlanDocument
    source: SourceDocument
    results: list[ChunkResult]
    reused: list[bool]
    notes: list[Note]
    others: list[tuple[EncodingSettings, Chunks]]
    """The queued chunks of the other codecs."""
    lost_cpu_seconds: float = 0.0
    """Of chunks that were made before the seeks were given up."""


async def _encode(stage: Stage, plan_: PlanDocument, source: SourceDocument) -> Encoded:
    """Encode every chunk in H.264, and queue the other codecs. Where many seeks fail, give them up for the title.

    Each chunk whose seek fails costs a decode from the film's start. Without a bound the cost grows with the square of the
    film's length. A version that viewers have keeps its plan: files under its URLs never change.
    """
    span = share_of(plan_, "h264")
    chunks = Chunks(stage, chunk_jobs(plan_, source), span=span)
    await chunks.queue()
    others = await queue_others(stage, plan_, source)
    version = await stage.stores.catalogue.versions.get(stage.movie_id, stage.version)
    bound = None if version.state in SHOWN_VERSIONS else MAX_UNSEEKABLE_CHUNKS
    try:
        results = await chunks.wait(max_decoded_again=bound)
        return Encoded(plan_, source, results, chunks.reused, [], others)
    except SeeksFail as failed:
        # The plan first: with few chunks, a kill between the two costs nothing.
        fewer, linear = without_seeks(plan_, source)
        await stage.restate("plan", fewer)
        await stage.restate("source", linear)
        again = Chunks(stage, chunk_jobs(fewer, linear), span=span)
        await again.queue()
        others = await queue_others(stage, fewer, linear)
        told = note("chunks-decoded-again", again=failed.decoded_again, chunks=len(plan_.chunks))
        return Encoded(fewer, linear, await again.wait(), again.reused, [told], others, failed.cpu_seconds)


def _notes(results: Sequence[ChunkResult]) -> list[Note]:
    again = sum(result.decoded_again for result in results)
    return [note("chunks-decoded-again", again=again, chunks=len(results))] if again else []


def _renditions(plan_: PlanDocument, rungs: Sequence[Rung], results: Sequence[ChunkResult]) -> list[Rendition]:
    """Size, frames and bitrate of each rung, added up from its chunks."""
    counted = []
    for rung in rungs:
        parts = [part for result in results for part in result.parts if part.rung == rung.name]
        size = sum(part.size_bytes for part in parts)
        counted.append(
            Rendition(
                rung=rung,
                size_bytes=size,
                frames=sum(part.frames for part in parts),
                average_bitrate_bps=round(size * 8 / plan_.duration_seconds),
            )
        )
    if any(one.frames != plan_.total_frames for one in counted):
        found = ", ".join(f"{one.rung.name}: {one.frames}" for one in counted)
        raise dg.Failure(f"The chunks do not add up to {plan_.total_frames} frames ({found}).")
    return counted


def _metadata(plan_: PlanDocument, document: RenditionsDocument) -> dict[str, dg.MetadataValue | float | int | str]:
    seconds = max(document.wall_seconds, 1e-3)
    return {
        "renditions": table(
            [
                {
                    "rung": one.rung.name,
                    "size": mebibytes(one.size_bytes),
                    "bitrate": kilobits(one.average_bitrate_bps),
                    "target": kilobits(one.rung.bitrate_bps),
                }
                for one in document.renditions
            ]
        ),
        "chunks": len(document.chunk_results),
        "reused_chunks": document.reused_chunks,
        "cpu_seconds": round(document.cpu_seconds, 2),
        "seconds": round(seconds, 2),
        "speed": f"{plan_.duration_seconds / seconds:.2f}x",
        "workers": ", ".join(sorted({result.worker for result in document.chunk_results})),
    }
