"""Stage `quality`: VMAF of every rung, on a sample of what viewers are sent. `marquee.media.encode.quality` scores.

Reads the documents of `source`, `plan` and `streams`, the master, and the packaged tracks. The blocking check
`picture_good_enough` judges its document. Next: `images`.
"""

import asyncio
from collections.abc import Mapping, Sequence

import dagster as dg

from assets.ingest.analysis import read_analysis
from assets.ingest.codecs import CODEC_NAMES
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.ingest.subtitles import subtitles
from assets.ingest.tracks import fetch_track, top_tracks
from assets.metadata import kilobits, picture, table
from marquee.documents import (
    PackagedStream,
    PlanDocument,
    QualityDocument,
    QualityScore,
    RenditionsDocument,
    Rung,
    SecondLook,
    StreamsDocument,
    video_by_codec,
)
from marquee.domain.figures import beside_limit
from marquee.domain.title_ladder import missed_expectations, no_better
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.quality import compared_size, scores
from marquee.media.encode.samples import MAX_SAMPLE_SHARE
from marquee.media.encode.second_look import second_look
from marquee.media.package.verify import is_large_enough_for_vmaf, poor_picture
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
        found, looks = await _score_rungs(stage, plan, packaged)
        h264, *others = top_tracks(packaged)
        wrong = [one for one in others if one.codec in plan.optional and _is_wrong(one, found, looks, settings)]
        document = QualityDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            scores=found,
            second_look=looks.get(h264.name),
            other_looks=[looks[one.name] for one in others if one.name in looks],
            left_out=[one.codec for one in wrong],
            notes=[
                *_notes([one for one in (h264, *others) if one not in wrong], found, settings.quality_floor_vmaf),
                *(note("codec-left-out", codec=CODEC_NAMES[one.codec], why="its picture is wrong") for one in wrong),
                *await _unexpected(stage, plan, packaged, found),
            ],
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
) -> tuple[list[QualityScore], dict[str, SecondLook]]:
    """The score of every rung on the same sample, and a second look at each codec's top rung that is poor, by its name."""
    source, made = await stage.read_source(), await stage.read("renditions", RenditionsDocument)
    rungs = {one.rung.name: one.rung for one in made.renditions}
    tracks = [track for codec in video_by_codec(packaged.video) for track in codec]
    tops = {track.name for track in top_tracks(packaged)}
    async with work_folder(stage.settings.state, f"quality-{stage.movie_id}") as folder:
        renditions = [(rungs[track.name], await fetch_track(stage, packaged, track, folder)) for track in tracks]
        await stage.report(0.2)
        async with stage.hold_source(source) as source_path:
            memory = stage.settings.process_memory_bytes
            found = await scores(source, source_path, plan, renditions, max_share=MAX_SAMPLE_SHARE, memory_bytes=memory)
            looks = {}
            for (rung, path), score in zip(renditions, found, strict=True):
                if rung.name in tops and score.vmaf_mean < stage.settings.quality_floor_vmaf:
                    looks[rung.name] = await second_look(
                        source, source_path, plan, rung, path, score, memory_bytes=memory
                    )
            return found, looks


def _is_wrong(
    track: PackagedStream, scores: Sequence[QualityScore], looks: Mapping[str, SecondLook], settings: Settings
) -> bool:
    """Whether the picture of a codec's top rung is not the film's."""
    return bool(
        poor_picture(
            [one for one in scores if one.rung == track.name],
            floor_vmaf=settings.quality_floor_vmaf,
            second_look=looks.get(track.name),
            is_large_enough=is_large_enough_for_vmaf(track.width or 0, track.height or 0),
        )
    )


def _notes(tops: Sequence[PackagedStream], scores: Sequence[QualityScore], floor: float) -> list[Note]:
    """A note for each codec whose top rung is poor. Small pictures have no meaningful score."""
    by_name = {one.rung: one.vmaf_mean for one in scores}
    return [
        note("quality-below-floor", rung=one.name, score=beside_limit(by_name[one.name], floor, 1), floor=f"{floor:g}")
        for one in tops
        if by_name[one.name] < floor and is_large_enough_for_vmaf(one.width or 0, one.height or 0)
    ]


async def _unexpected(
    stage: Stage, plan: PlanDocument, packaged: StreamsDocument, found: Sequence[QualityScore]
) -> list[Note]:
    """A note for each H.264 rung far from what its trials let expect, and for each rung that is no better than the one below.

    Trials are scored at the largest rung's size. Where the source is larger, only steps between rungs can be compared.
    """
    analysis, video = await read_analysis(stage), (await stage.read_source()).video
    scores = {one.rung: one.vmaf_mean for one in found}
    rates = {one.name: one.average_bps for one in packaged.video}
    missed: list[tuple[Rung, float]] = []
    if analysis is not None:
        size = compared_size(video.display_width, video.display_height)
        same_size = size == (analysis.compared_width, analysis.compared_height)
        missed = missed_expectations(plan.settings.rungs, scores, analysis.rungs, same_size=same_size)
    return [
        *(
            note("rung-off-expectation", rung=rung.name, score=f"{scores[rung.name]:.1f}", expected=f"{vmaf:.1f}")
            for rung, vmaf in missed
        ),
        *(
            note(
                "rung-no-better",
                rung=rung.name,
                score=f"{scores[rung.name]:.2f}",
                rate=kilobits(rates[rung.name]),
                below=below.name,
                below_score=f"{scores[below.name]:.2f}",
                below_rate=kilobits(rates[below.name]),
            )
            for encoding in plan.encodings
            for rung, below in no_better(encoding.rungs, scores, rates)
        ),
    ]


def _plot(packaged: StreamsDocument, plan: PlanDocument, document: QualityDocument) -> bytes:
    # Imported here: matplotlib takes longer to import than everything else that Dagster loads.
    from marquee.media.ladder.plot import ladder_png

    return ladder_png(packaged.video, plan.rungs, document.scores)


def _row(score: QualityScore) -> dict[str, object]:
    return {
        "rung": score.rung,
        "VMAF mean": round(score.vmaf_mean, 2),
        "VMAF least": round(score.vmaf_min, 2),
        "frames": score.frames_scored,
        "segments": score.segments_scored,
        "CPU s": round(score.cpu_seconds, 1),
    }
