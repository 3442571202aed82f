"""Stage `subtitles`: WebVTT tracks under `text/` of the version's prefix. Reads the master and the upload's sidecars.

It follows `streams` because the stages have one order, not because it needs them. Next: `quality`.
"""

import dagster as dg

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.publishing import fetch_files, publish_folder
from assets.ingest.stage import open_stage
from assets.ingest.streams import streams
from assets.metadata import table
from marquee.documents import PlanDocument, keys
from marquee.ingest.work_folder import work_folder
from marquee.media.text.subtitles import SidecarFile, extract_subtitles
from marquee.settings import Settings


@stage_asset(
    deps=[streams], partitions_def=titles, kinds={"ffmpeg", "s3"}, owners=OWNERS, pool=FFMPEG, retry_policy=OUTAGE_RETRY
)
async def subtitles(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Text tracks as WebVTT: those in the master, and those that were uploaded beside it.

    A track that cannot become text (bitmaps, a broken file) never fails its title. It is left out, and a note says why.
    """
    async with open_stage(context, settings, "subtitles") as stage:
        source, plan = await stage.read_source(), await stage.read("plan", PlanDocument)
        sidecars = stage.upload.sidecars
        async with work_folder(settings.state, f"subtitles-{stage.movie_id}") as folder:
            files = [folder / f"sidecar-{index}" for index in range(len(sidecars))]
            await fetch_files(stage.stores.objects, {one.key: path for one, path in zip(sidecars, files, strict=True)})
            async with stage.hold_source(source) as source_path:
                document = await extract_subtitles(
                    source,
                    source_path,
                    [
                        SidecarFile(
                            path=path,
                            file_name=one.file_name,
                            language=one.language,
                            label=one.label,
                            encoding=one.encoding,
                            encoding_guessed=one.encoding_guessed,
                            forced=one.forced,
                            hearing_impaired=one.hearing_impaired,
                            commentary=one.commentary,
                        )
                        for one, path in zip(sidecars, files, strict=True)
                    ],
                    folder / "made",
                    duration_seconds=plan.duration_seconds,
                    memory_bytes=settings.process_memory_bytes,
                )
            await publish_folder(
                stage.stores.published, folder / "made", keys.published_prefix(stage.movie_id, stage.version)
            )
        await stage.save_document(document)
        return dg.MaterializeResult(
            metadata={
                "tracks": table(
                    [
                        {"track": one.name, "language": one.language, "label": one.label, "cues": one.cues}
                        for one in document.tracks
                    ]
                ),
            }
        )
