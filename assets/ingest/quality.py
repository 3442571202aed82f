"""Stage `quality`: VMAF of every rung, on a sample of what viewers are sent. `marquee.media.encode.quality` scores.

Reads the documents of `source`, `plan` and `streams`, the master, and the packaged tracks. The blocking check
`picture_good_enough` judges its document. Next: `images`.
"""

import asyncio

import dagster as dg

from assets.ingest.metadata import picture, table
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.ingest.subtitles import subtitles
from assets.ingest.tracks import by_height, fetch_track
from marquee.documents import (
    PlanDocument,
    QualityDocument,
    QualityScore,
    RenditionsDocument,
    SecondLook,
    StreamsDocument,
)
from marquee.domain.figures import beside_limit
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.quality import scores
from marquee.media.encode.samples import MAX_SAMPLE_SHARE
from marquee.media.encode.second_look import second_look
from marquee.media.package.verify import is_large_enough_for_vmaf
from marquee.notes import Note, note
from marquee.settings import Settings


@stage_asset(
    deps=[subtitles], partitions_def=titles, kinds={"ffmpeg"}, owners=OWNERS, pool=FFMPEG, retry_policy=OUTAGE_RETRY
)
async def quality(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """VMAF of every rung against the master, at the master's size, on at most a tenth of the segments.

    The packaged segments themselves are scored: what viewers are sent, not what the encoder wrote. The ladder is drawn with
    each rung's planned and measured rate and its score.
    """
    async with open_stage(context, settings, "quality") as stage:
        plan, packaged = await stage.read("plan", PlanDocument), await stage.read("streams", StreamsDocument)
        found, looked = await _score_rungs(stage, plan, packaged)
        document = QualityDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            scores=found,
            second_look=looked,
            notes=_notes(found[-1], packaged, settings.quality_floor_vmaf),
        )
        await stage.save_document(document)
        plot = await asyncio.to_thread(_plot, packaged, plan, document)
        return dg.MaterializeResult(
            metadata={
                "ladder": picture(
                    plot, "Each rung's rate, planned and measured, its VMAF, and the rate of each segment"
                ),
                "quality": table([_row(score) for score in document.scores]),
                "cpu_seconds": round(sum(score.cpu_seconds for score in document.scores), 2),
            }
        )


async def _score_rungs(
    stage: Stage, plan: PlanDocument, packaged: StreamsDocument
) -> tuple[list[QualityScore], SecondLook | None]:
    """The score of every rung on the same sample, from the lowest rung to the highest, and a second look at a poor top rung."""
    source, made = await stage.read_source(), await stage.read("renditions", RenditionsDocument)
    rungs = {one.rung.name: one.rung for one in made.renditions}
    async with work_folder(stage.settings.state, f"quality-{stage.movie_id}") as folder:
        renditions = [
            (rungs[track.name], await fetch_track(stage, packaged, track, folder)) for track in by_height(packaged)
        ]
        await stage.report(0.2)
        async with stage.hold_source(source) as source_path:
            memory = stage.settings.process_memory_bytes
            found = await scores(source, source_path, plan, renditions, max_share=MAX_SAMPLE_SHARE, memory_bytes=memory)
            if found[-1].vmaf_mean >= stage.settings.quality_floor_vmaf:
                return found, None
            looked = await second_look(source, source_path, plan, *renditions[-1], found[-1], memory_bytes=memory)
            return found, looked


def _notes(top: QualityScore, packaged: StreamsDocument, floor: float) -> list[Note]:
    """A note if the top rung is poor. Small pictures have no meaningful score."""
    track = by_height(packaged)[-1]
    if top.vmaf_mean >= floor or not is_large_enough_for_vmaf(track.width or 0, track.height or 0):
        return []
    score = beside_limit(top.vmaf_mean, floor, 1)
    return [note("quality-below-floor", rung=top.rung, score=score, floor=f"{floor:g}")]


def _plot(packaged: StreamsDocument, plan: PlanDocument, document: QualityDocument) -> bytes:
    # Imported here: matplotlib takes longer to import than everything else that Dagster loads.
    from marquee.media.ladder.plot import ladder_png

    return ladder_png(packaged.video, plan.settings.rungs, document.scores)


def _row(score: QualityScore) -> dict[str, object]:
    return {
        "rung": score.rung,
        "VMAF mean": round(score.vmaf_mean, 2),
        "VMAF least": round(score.vmaf_min, 2),
        "frames": score.frames_scored,
        "segments": score.segments_scored,
        "CPU s": round(score.cpu_seconds, 1),
    }
