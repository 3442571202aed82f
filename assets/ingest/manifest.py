"""Stage 6: what a player opens first, written last: master playlist and MPD, after pictures and the quality score.

Reads streams and subtitles; two blocking checks look at its document and at what is stored. Next: `prewarm`.
"""

import asyncio

import dagster as dg

from assets.ingest.metadata import image_link, picture, stream_link, table
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.publishing import CACHE_CONTROL, MEDIA_TYPES, publish_folder
from assets.ingest.quality import by_height, fetch_track, make_pictures, score_rungs
from assets.ingest.stage import Stage, open_stage
from assets.ingest.subtitles import subtitles
from marquee.documents import (
    ManifestDocument,
    PlanDocument,
    StreamsDocument,
    SubtitlesDocument,
    keys,
)
from marquee.ingest.outages import through_outages
from marquee.ingest.work_folder import work_folder
from marquee.media.package.manifest import master_playlist, mpd
from marquee.media.package.verify import published_files
from marquee.settings import Settings


@dg.asset(deps=[subtitles], partitions_def=titles, kinds={"s3"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def manifest(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Master playlist and MPD, written last under the version's prefix, from measured rates and with relative URIs alone.

    Here too: the poster, the sprite for scrubbing, and every rung's VMAF on a sample of what viewers will be sent.
    """
    async with open_stage(context, settings, "manifest") as stage:
        source, plan = await stage.read_source(), await stage.read("plan", PlanDocument)
        packaged, texts = await stage.read("streams", StreamsDocument), await stage.read("subtitles", SubtitlesDocument)
        images = keys.images_prefix(stage.movie_id, stage.version)
        async with work_folder(settings.state, f"manifest-{stage.movie_id}") as folder:
            renditions = [(track, await fetch_track(stage, packaged, track, folder)) for track in by_height(packaged)]
            quality = await score_rungs(stage, source, plan, renditions)
            await stage.report(0.6)
            made = await make_pictures(renditions, folder / "images", duration_seconds=plan.duration_seconds)
            await publish_folder(stage.stores.published, folder / "images", images)
        await stage.report(0.9)
        await _write(stage, packaged.prefix + keys.MPD, mpd(packaged, texts))
        await _write(stage, packaged.prefix + keys.MASTER_PLAYLIST, master_playlist(packaged, texts))
        document = ManifestDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            hls=packaged.prefix + keys.MASTER_PLAYLIST,
            dash=packaged.prefix + keys.MPD,
            poster=images + made.poster.name,
            sprite=images + made.sprite.name,
            sprite_vtt=images + made.sprite_vtt.name,
            duration_seconds=plan.duration_seconds,
            files=_files(
                packaged, texts, images, [path.name for path in (made.poster, made.sprite_vtt, *made.sprites)]
            ),
            quality=quality,
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            metadata=_metadata(settings, document, await asyncio.to_thread(_plot, packaged, plan, document))
        )


async def _write(stage: Stage, key: str, text: str) -> None:
    media_type = MEDIA_TYPES["." + key.rsplit(".", 1)[1]]
    await through_outages(
        lambda: stage.stores.published.put(key, text.encode(), content_type=media_type, cache_control=CACHE_CONTROL)
    )


def _files(packaged: StreamsDocument, texts: SubtitlesDocument, images: str, image_names: list[str]) -> list[str]:
    """Every key of the version; what a player opens first comes first, so that it is the first at an edge."""
    below = [keys.MASTER_PLAYLIST, keys.MPD, *published_files(packaged, texts)]
    return [*(packaged.prefix + name for name in below), *(images + name for name in image_names)]


def _plot(packaged: StreamsDocument, plan: PlanDocument, document: ManifestDocument) -> bytes:
    # Imported here: drawing takes longer to import than everything else that Dagster loads.
    from marquee.media.ladder.plot import ladder_png

    return ladder_png(packaged.video, plan.settings.rungs, document.quality)


def _metadata(
    settings: Settings, document: ManifestDocument, plot: bytes
) -> dict[str, dg.MetadataValue | str | float | int]:
    return {
        "master_playlist": stream_link(settings, document.movie_id, document.version, document.hls),
        "mpd": stream_link(settings, document.movie_id, document.version, document.dash),
        "poster": image_link(settings, document.movie_id, document.poster),
        "sprite": image_link(settings, document.movie_id, document.sprite),
        "ladder": picture(plot, "Each rung's rate, planned and measured, and the rate of each segment"),
        "files": len(document.files),
        "duration_seconds": round(document.duration_seconds, 3),
        "quality": table(
            [
                {
                    "rung": score.rung,
                    "VMAF mean": round(score.vmaf_mean, 2),
                    "VMAF least": round(score.vmaf_min, 2),
                    "frames": score.frames_scored,
                    "segments": score.segments_scored,
                    "CPU s": round(score.cpu_seconds, 1),
                }
                for score in document.quality
            ]
        ),
    }
