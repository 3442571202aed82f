"""Stage `renditions`: every chunk of the plan goes through the job queue. `chunks` queues them and waits.

Reads the documents of `source` and `plan`. The workers store `chunks/{job_id}/{attempt}/{rung}.mp4` in the ingest bucket.
Next: `streams`.
"""

import time
from collections.abc import Sequence

import dagster as dg

from assets.ingest.chunks import Chunks
from assets.ingest.metadata import kilobits, mebibytes, table
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.plan import plan
from assets.ingest.raised_rung import raise_poor_rung, with_raised_rung
from assets.ingest.stage import open_stage
from marquee.documents import ChunkResult, PlanDocument, Rendition, RenditionsDocument, Rung
from marquee.media.encode.plan import chunk_jobs
from marquee.notes import Note, note
from marquee.settings import Settings


@dg.asset(deps=[plan], partitions_def=titles, kinds={"ffmpeg", "postgres"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def renditions(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Every chunk in every rung, encoded by the transcode workers. This asset queues jobs, waits and collects results.

    A chunk that exists already, from this title or another with the same content, is not encoded again. A chunk that fails
    in every attempt fails the title with the encoder's own words. A top rung whose bits leave it below the quality floor is
    encoded once more with more bits.
    """
    async with open_stage(context, settings, "renditions") as stage:
        document_plan, source = await stage.read("plan", PlanDocument), await stage.read_source()
        chunks = Chunks(stage, chunk_jobs(document_plan, source))
        started = time.monotonic()
        await chunks.queue()
        results, rungs = await chunks.wait(), document_plan.settings.rungs
        made = [result for result, reused in zip(results, chunks.reused, strict=True) if not reused]
        notes = _notes(results)
        if better := await raise_poor_rung(stage, source, document_plan, results):
            made += [result for result, reused in zip(better.results, better.reused, strict=True) if not reused]
            notes = [*_notes([*results, *better.results]), better.note]
            results, rungs = with_raised_rung(results, better), [*rungs[:-1], better.rung]
        document = RenditionsDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            renditions=_renditions(document_plan, rungs, results),
            chunk_results=list(results),
            reused_chunks=sum(chunks.reused),
            cpu_seconds=sum(result.cpu_seconds for result in made),
            wall_seconds=time.monotonic() - started,
            notes=notes,
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(document_plan.settings_hash), metadata=_metadata(document_plan, document)
        )


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
