"""Stage `title`: publishes the version, in one transaction of the catalogue. Before it no viewer can reach the version.

Reads the documents of `manifest`, `images`, `streams`, `subtitles` and `source`, and the notes of all stages, which it stores on
the version. Change capture and the search sync then bring the title into the search index. Next: `search_document`, which waits
for that.
"""

import time

import dagster as dg

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.prewarm import prewarm
from assets.ingest.stage import Stage, open_stage
from assets.ingest.tracks import offered_streams
from assets.metadata import image_link, stream_link, web_page
from marquee.documents import (
    ImagesDocument,
    ManifestDocument,
    SourceDocument,
    SubtitlesDocument,
    TitlePublished,
    offered_tracks,
)
from marquee.errors import StoreUnavailable
from marquee.ingest.outages import through_outages
from marquee.notes import Note, note
from marquee.settings import Settings
from marquee.stores.catalogue.values import Publication
from marquee.stores.row_cache.keys import keys_of_title


@stage_asset(deps=[prewarm], partitions_def=titles, kinds={"postgres"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def title(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The title becomes playable. One transaction writes its active version, its state and its document for search.

    A version older than the active one changes nothing: publishing only moves to newer versions.
    """
    async with open_stage(context, settings, "title") as stage:
        made = await stage.read("manifest", ManifestDocument)
        pictures = await stage.read("images", ImagesDocument)
        packaged, texts = await offered_streams(stage), await stage.read("subtitles", SubtitlesDocument)
        publication = Publication(
            movie_id=stage.movie_id,
            version=stage.version,
            duration_seconds=made.duration_seconds,
            manifest=made.hls,
            dash=made.dash,
            poster=made.poster,
            sprite_vtt=made.sprite_vtt,
            backdrop=pictures.backdrop,
            tracks=offered_tracks(packaged, texts),
        )
        notes = await stage.collect_notes()
        versions = stage.stores.catalogue.versions
        await through_outages(lambda: versions.set_notes(stage.movie_id, stage.version, notes, whole=True))
        revision = await through_outages(lambda: versions.publish(publication))
        committed_at_ms = int(time.time() * 1000)
        late = await _refresh_rows(stage)
        document = TitlePublished(
            movie_id=stage.movie_id,
            version=stage.version,
            revision=revision,
            committed_at_ms=committed_at_ms,
            notes=late,
        )
        await stage.save_document(document)
        found = await stage.read("source", SourceDocument)
        metadata: dict[str, dg.MetadataValue | str | float | int] = {
            "web_page": web_page(settings, stage.movie_id),
            "master_playlist": stream_link(settings, stage.movie_id, stage.version, made.hls),
            "poster": image_link(settings, stage.movie_id, made.poster),
            "revision": revision,
        }
        if pictures.backdrop:
            metadata["backdrop"] = image_link(settings, stage.movie_id, pictures.backdrop[-1].key)
        if found.same_content_as is not None:
            metadata["same_content_as"] = web_page(settings, found.same_content_as)
        return dg.MaterializeResult(data_version=dg.DataVersion(str(revision)), metadata=metadata)


async def _refresh_rows(stage: Stage) -> list[Note]:
    """Purge the rows that the title is in now. With the cache down they expire by themselves, which a note says."""
    try:
        genres = (await stage.stores.catalogue.titles.get(stage.movie_id)).details.genres
        await stage.stores.row_cache.purge(keys_of_title(genres))
    except StoreUnavailable:
        return [note("rows-not-refreshed", seconds=stage.settings.row_ttl_seconds)]
    return []
