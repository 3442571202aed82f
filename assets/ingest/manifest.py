"""Stage `manifest`: the master playlist and the MPD. A player opens them first, so they are written last.

Reads the documents of `plan`, `streams`, `subtitles` and `images`. The blocking check `segments_add_up` judges its document
and what is stored. Next: `prewarm`.
"""

import dagster as dg
import m3u8

from assets.ingest.images import images
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.publishing import CACHE_CONTROL, MEDIA_TYPES
from assets.ingest.stage import Stage, open_stage
from assets.ingest.tracks import offered_streams
from assets.metadata import kilobits, stream_link, table
from marquee.documents import (
    ImagesDocument,
    ManifestDocument,
    PlanDocument,
    StreamsDocument,
    SubtitlesDocument,
    keys,
)
from marquee.ingest.outages import through_outages
from marquee.media.package.manifest import master_playlist, mpd
from marquee.media.package.verify import published_files
from marquee.settings import Settings


@stage_asset(deps=[images], partitions_def=titles, kinds={"s3"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def manifest(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Master playlist and MPD, with measured rates and relative URIs, written last under the version's prefix.

    Its document lists every published file of the version.
    """
    async with open_stage(context, settings, "manifest") as stage:
        plan, pictures = await stage.read("plan", PlanDocument), await stage.read("images", ImagesDocument)
        packaged, texts = await offered_streams(stage), await stage.read("subtitles", SubtitlesDocument)
        master = master_playlist(packaged, texts, pictures.thumbnails)
        await _write(stage, packaged.prefix + keys.MPD, mpd(packaged, texts, pictures.thumbnails))
        await _write(stage, packaged.prefix + keys.MASTER_PLAYLIST, master)
        document = ManifestDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            hls=packaged.prefix + keys.MASTER_PLAYLIST,
            dash=packaged.prefix + keys.MPD,
            poster=pictures.poster,
            sprite_vtt=pictures.sprite_vtt,
            duration_seconds=plan.duration_seconds,
            files=_files(packaged, texts, pictures),
            thumbnails=pictures.thumbnails,
        )
        await stage.save_document(document)
        return dg.MaterializeResult(metadata=_metadata(settings, document, master))


async def _write(stage: Stage, key: str, text: str) -> None:
    media_type = MEDIA_TYPES["." + key.rsplit(".", 1)[1]]
    await through_outages(
        lambda: stage.stores.published.put(key, text.encode(), content_type=media_type, cache_control=CACHE_CONTROL)
    )


def _files(packaged: StreamsDocument, texts: SubtitlesDocument, pictures: ImagesDocument) -> list[str]:
    """Every key of the version. What a player opens first comes first, so that an edge is filled in that order."""
    below = [keys.MASTER_PLAYLIST, keys.MPD, *published_files(packaged, texts, pictures.thumbnails)]
    return [*(packaged.prefix + name for name in below), *pictures.files]


def _metadata(
    settings: Settings, document: ManifestDocument, master: str
) -> dict[str, dg.MetadataValue | str | float | int]:
    parsed = m3u8.loads(master)
    variants = [(one.uri, one.stream_info) for one in parsed.playlists]
    return {
        "master_playlist": stream_link(settings, document.movie_id, document.version, document.hls),
        "mpd": stream_link(settings, document.movie_id, document.version, document.dash),
        "variants": table(
            [
                {
                    "playlist": uri,
                    "picture": "x".join(map(str, told.resolution)),
                    "BANDWIDTH": kilobits(told.bandwidth),
                    "AVERAGE-BANDWIDTH": kilobits(told.average_bandwidth),
                    "codecs": told.codecs,
                }
                for uri, told in variants
            ]
        ),
        "audio_and_subtitles": table(
            [
                {"kind": one.type, "name": one.name, "language": one.language, "playlist": one.uri}
                for one in parsed.media
            ]
        ),
        "files": len(document.files),
        "duration_seconds": round(document.duration_seconds, 3),
    }
