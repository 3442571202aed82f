"""Stage 7: a hot title into every edge's cache, by `edges.warm`; reads the manifest's list of files. Next: `title`."""

import asyncio

import dagster as dg

from assets.ingest.manifest import manifest
from assets.ingest.metadata import mebibytes, table
from assets.ingest.partitions import OWNERS, PATIENCE, titles
from assets.ingest.stage import open_stage
from marquee.cdn.fill import warm
from marquee.documents import ManifestDocument, PrewarmDocument
from marquee.settings import Settings


@dg.asset(deps=[manifest], partitions_def=titles, kinds={"nginx"}, owners=OWNERS, retry_policy=PATIENCE)
async def prewarm(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """A hot title is requested through every edge, and each file's second answer must come from that edge's cache.

    The long tail is pulled by its first viewer. An edge that is down is recorded and does not hold a title back.
    """
    async with open_stage(context, settings, "prewarm") as stage:
        files = (await stage.read("manifest", ManifestDocument)).files
        hot = stage.upload.hot
        edges = settings.inner_edges if hot else []
        document = PrewarmDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            hot=hot,
            edges=list(
                await asyncio.gather(*(warm(settings, edge, stage.movie_id, stage.version, files) for edge in edges))
            ),
        )
        await stage.leave(document)
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
