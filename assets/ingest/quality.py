"""Stage `quality`: VMAF of every rung, on a sample of what viewers are sent. `marquee.media.encode.quality` scores.

Reads the documents of `source`, `plan` and `streams`, the master, and the packaged tracks. The blocking check
`picture_good_enough` judges its document. Next: `images`.
"""

import asyncio
from typing import Final

import dagster as dg

from assets.ingest.metadata import picture, table
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.ingest.subtitles import subtitles
from assets.ingest.tracks import by_height, fetch_track
from marquee.documents import PlanDocument, QualityDocument, QualityScore, StreamsDocument
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.quality import scores
from marquee.settings import Settings

MAX_SAMPLE_SHARE: Final = 0.1
"""Of all segments: a full score costs as much as the encode."""


@dg.asset(
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
        document = QualityDocument(
            movie_id=stage.movie_id, version=stage.version, scores=await _score_rungs(stage, plan, packaged)
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


async def _score_rungs(stage: Stage, plan: PlanDocument, packaged: StreamsDocument) -> list[QualityScore]:
    """The score of every rung on the same sample, from the lowest rung to the highest."""
    source, rungs = await stage.read_source(), {rung.name: rung for rung in plan.settings.rungs}
    async with work_folder(stage.settings.state, f"quality-{stage.movie_id}") as folder:
        renditions = [
            (rungs[track.name], await fetch_track(stage, packaged, track, folder)) for track in by_height(packaged)
        ]
        await stage.report(0.2)
        async with stage.hold_source(source) as source_path:
            return await scores(
                source,
                source_path,
                plan,
                renditions,
                max_share=MAX_SAMPLE_SHARE,
                memory_bytes=stage.settings.process_memory_bytes,
            )


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
