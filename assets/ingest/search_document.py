"""Stage 9, the last: sees the title's revision arrive in the search index, and how long that took from the commit."""

import asyncio
import time
from typing import Final

import dagster as dg

from assets.ingest.metadata import web_page
from assets.ingest.partitions import OWNERS, PATIENCE, titles
from assets.ingest.stage import Stage, final_failure, open_stage
from assets.ingest.title import title
from marquee.documents import TitleIndexed, TitlePublished
from marquee.settings import Settings

WAIT_SECONDS: Final = 120.0
_FIRST_POLL_SECONDS: Final = 0.02
_LAST_POLL_SECONDS: Final = 0.5


@dg.asset(deps=[title], partitions_def=titles, kinds={"search"}, owners=OWNERS, retry_policy=PATIENCE)
async def search_document(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The search index has the title; written by change capture and the search sync, only observed here.

    Records the lag from the title's commit to the moment that the search was seen to have that revision: where it has it at the
    first look, the lag was at most that.
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
        await stage.leave(document)
        return dg.MaterializeResult(
            metadata={
                "lag_seconds": round(document.lag_seconds, 3),
                "revision": revision,
                "web_page": web_page(settings, stage.movie_id),
            }
        )


async def _until_searchable(stage: Stage, published: TitlePublished) -> int:
    """The revision that a search finds, once it is the published one or newer.

    Waits once and is not retried: viewers have the title already, and a run that waits holds a slot that an upload needs.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    poll_seconds = _FIRST_POLL_SECONDS
    while True:
        found = await stage.stores.search.revision(stage.movie_id)
        if found is not None and found >= published.revision:
            return found
        # Unpublished or deleted meanwhile: the index has rightly no such document.
        await stage.report(0.5)
        if time.monotonic() > deadline:
            raise final_failure(
                stage.context,
                f"Revision {published.revision} did not reach the search index in {WAIT_SECONDS:.0f} s: look at the "
                "change capture and search sync processes, then materialize this asset again.",
            )
        await asyncio.sleep(poll_seconds)
        poll_seconds = min(poll_seconds * 1.5, _LAST_POLL_SECONDS)
