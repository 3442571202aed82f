"""Stage `search_document`, the last one: waits until a search finds the title's revision, and records the lag.

Reads the document of `title`. Change capture and the search sync write the index; this stage only looks.
"""

import asyncio
import time
from typing import Final

import dagster as dg

from assets.ingest.outcomes import failure_without_retry, stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.ingest.title import title
from assets.metadata import web_page
from marquee.documents import TitleIndexed, TitlePublished
from marquee.settings import Settings

WAIT_SECONDS: Final = 120.0
_FIRST_POLL_SECONDS: Final = 0.02
_LAST_POLL_SECONDS: Final = 0.5


@stage_asset(deps=[title], partitions_def=titles, kinds={"search"}, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def search_document(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The search index has the title. Change capture and the search sync write it; this asset only looks.

    `lag_seconds` is the time from the title's commit to the first look that found the revision. The real lag may be shorter.
    """
    async with open_stage(context, settings, "search_document") as stage:
        published = await stage.read("title", TitlePublished)
        revision = await _until_searchable(stage, published)
        document = TitleIndexed(
            movie_id=stage.movie_id,
            version=stage.version,
            revision=revision,
            lag_seconds=max(0.0, time.time() - published.committed_at_ms / 1000),
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            metadata={
                "lag_seconds": round(document.lag_seconds, 3),
                "revision": revision,
                "web_page": web_page(settings, stage.movie_id),
            }
        )


async def _until_searchable(stage: Stage, published: TitlePublished) -> int:
    """The revision that a search finds, as soon as it is the published one or a newer one.

    Not retried after `WAIT_SECONDS`: viewers have the title already, and a waiting run holds a slot that an upload needs.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    poll_seconds = _FIRST_POLL_SECONDS
    while True:
        found = await stage.stores.search.revision(stage.movie_id)
        if found is not None and found >= published.revision:
            return found
        # Raises if the title was deleted meanwhile: then the index has no such document.
        await stage.report(0.5)
        if time.monotonic() > deadline:
            raise failure_without_retry(
                stage.context,
                f"Revision {published.revision} did not reach the search index in {WAIT_SECONDS:.0f} s: look at the "
                "change capture and search sync processes, then materialize this asset again.",
            )
        await asyncio.sleep(poll_seconds)
        poll_seconds = min(poll_seconds * 1.5, _LAST_POLL_SECONDS)
