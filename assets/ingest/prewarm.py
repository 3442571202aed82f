"""Stage `prewarm`: brings a hot title into the cache of every edge, by `marquee.cdn.fill`.

Reads the list of files in the document of `manifest`. Next: `title`.
"""

import asyncio

import dagster as dg

from assets.ingest.manifest import manifest
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import open_stage
from assets.metadata import mebibytes, table
from marquee.cdn.fill import warm
from marquee.documents import ManifestDocument, PrewarmDocument
from marquee.notes import note
from marquee.settings import Settings


@stage_asset(deps=[manifest], partitions_def=titles, kinds={"nginx"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def prewarm(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """A hot title is requested through every edge. The second answer for each file must come from that edge's cache.

    Other titles are not pushed: their first viewer fills the cache. An edge that is down delays no title; a note names it.
    """
    async with open_stage(context, settings, "prewarm") as stage:
        files = (await stage.read("manifest", ManifestDocument)).files
        hot = stage.upload.hot
        edges = settings.inner_edges if hot else []
        filled = await asyncio.gather(*(warm(settings, edge, stage.movie_id, stage.version, files) for edge in edges))
        document = PrewarmDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            hot=hot,
            edges=list(filled),
            notes=[
                note("edge-not-filled", edge=one.edge, hits=one.hits, files=one.requested)
                for one in filled
                if one.failed
            ],
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            metadata={
                "hot": hot,
                "edges": table(
                    [
                        {
                            "edge": one.edge,
                            "requested": one.requested,
                            "hits": one.hits,
                            "failed": one.failed,
                            "bytes": mebibytes(one.bytes),
                            "seconds": round(one.seconds, 2),
                        }
                        for one in document.edges
                    ]
                ),
            }
        )
