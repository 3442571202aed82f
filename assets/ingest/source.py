"""Stage `source`: fetches the uploaded master and hashes it. `marquee.media.source.judge` accepts or refuses it.

As the first stage it also opens every store that the chain uses, without connecting: a wrong URL stops the run here, and not
after the encode. Reads `uploads/{upload_id}/source`. The master stays in this host's cache, where the workers of this host
find it. Next: `plan`.
"""

import asyncio

import dagster as dg
import msgspec

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.metadata import mebibytes, table, web_page
from marquee.documents import SourceDocument
from marquee.ingest.outages import through_outages
from marquee.ingest.source_cache import file_sha256
from marquee.ingest.work_folder import work_folder
from marquee.media.source.claims import SourceLimits
from marquee.media.source.judge import judge
from marquee.settings import Settings
from marquee.stores.opened import Stores


@stage_asset(partitions_def=titles, kinds={"ffmpeg", "s3"}, owners=OWNERS, pool=FFMPEG, retry_policy=OUTAGE_RETRY)
async def source(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The uploaded master: probed, decoded once to its end, and accepted.

    A file that cannot become a title is refused here, with a sentence for its owner. The SHA-256 of the whole file is the
    identity of its content. If another title has the same content, its chunks are reused and the document names that title.
    """
    async with open_stage(context, settings, "source") as stage:
        open_stores_of_chain(stage.stores)
        document = await _accept(stage)
        await stage.save_document(document)
        await _cancel_older(stage)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(document.sha256), metadata=_metadata(settings, document)
        )


async def _cancel_older(stage: Stage) -> None:
    """This film is accepted: it will take the place of older versions, so encoding those to their end is of no use."""
    versions = stage.stores.catalogue.versions
    older = await through_outages(lambda: versions.cancel_older(stage.movie_id, stage.version))
    if older:
        stage.context.log.info(f"Cancelled, because this film is newer: version {', '.join(map(str, older))}.")


def open_stores_of_chain(stores: Stores) -> None:
    """Open every store that a stage of the chain names. Raises `SettingsInvalid`, which names the wrong setting."""
    _ = (
        stores.catalogue,
        stores.objects,
        stores.published,
        stores.job_queue,
        stores.event_log,
        stores.row_cache,
        stores.search,
    )


async def _accept(stage: Stage) -> SourceDocument:
    upload = stage.upload
    async with work_folder(stage.settings.state, f"source-{stage.movie_id}") as folder:
        path = folder / "source"
        await stage.stores.objects.get_file(upload.key, path)
        await stage.report(0.2)
        sha256 = await asyncio.to_thread(file_sha256, path)
        async with stage.reporting(0.2, 1.0) as tell:
            document = await judge(
                path,
                movie_id=stage.movie_id,
                version=stage.version,
                upload_id=upload.upload_id,
                key=upload.key,
                file_name=upload.file_name,
                sha256=sha256,
                limits=_limits(stage.settings),
                on_progress=tell,
            )
        await stage.sources.adopt(path, sha256)
    same = await stage.stores.catalogue.versions.claim_content(stage.movie_id, stage.version, sha256)
    return msgspec.structs.replace(document, same_content_as=same)


def _limits(settings: Settings) -> SourceLimits:
    return SourceLimits(
        max_bytes=settings.upload_max_bytes,
        max_seconds=settings.source_max_seconds,
        max_pixels=settings.source_max_pixels,
        memory_bytes=settings.process_memory_bytes,
    )


def _metadata(settings: Settings, document: SourceDocument) -> dict[str, dg.MetadataValue | str | float | int]:
    video = document.video
    streams = [
        {
            "stream": video.index,
            "kind": "video",
            "codec": video.codec,
            "what": f"{video.width}x{video.height}, shown {video.display_width}x{video.display_height}, "
            f"{float(video.rate):.3f} fps, {video.pixel_format}"
            + (f", rotated {video.rotation}°" if video.rotation else "")
            + (", interlaced" if video.interlaced else "")
            + (", variable rate" if video.variable_frame_rate else "")
            + (", HDR" if video.hdr else ""),
        },
        *(
            {
                "stream": audio.index,
                "kind": "audio",
                "codec": audio.codec,
                "what": f"{audio.channels} channels, {audio.sample_rate} Hz, {audio.language}",
            }
            for audio in document.audio
        ),
        *(
            {"stream": text.index, "kind": "subtitles", "codec": text.codec, "what": text.language}
            for text in document.subtitles
        ),
    ]
    metadata: dict[str, dg.MetadataValue | str | float | int] = {
        "file": document.file_name,
        "size": mebibytes(document.size_bytes),
        "container": document.container,
        "duration_seconds": round(document.duration_seconds, 3),
        "streams": table(streams),
        "frames_decoded": document.frames_decoded,
        "frames_damaged": document.frames_damaged,
        "sha256": document.sha256,
        "web_page": web_page(settings, document.movie_id),
    }
    if document.same_content_as is not None:
        metadata["same_content_as"] = web_page(settings, document.same_content_as)
    return metadata
