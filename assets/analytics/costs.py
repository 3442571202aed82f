"""Asset `encoding_costs`: what encoding each published version cost, from the documents of the chain into the table
`version_cost`.

The job queue forgets a chunk an hour after its title is published; the document of the stage `renditions` keeps what all
chunks cost, and that of `analysis` what its trials cost. A version is recorded once. Next: the mart `encoding_cost`.
"""

from typing import Final

import dagster as dg
import msgspec

from assets.analytics.partitions import FRESH_DAY, OWNERS, STORE_RETRY
from marquee.concurrency import gather_bounded
from marquee.documents import AnalysisDocument, RenditionsDocument, StreamsDocument, keys
from marquee.errors import ObjectMissing
from marquee.settings import Settings
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_stores
from marquee.stores.warehouse import open_warehouse
from marquee.stores.warehouse.contract import PublishedVersion, VersionCost

VERSIONS_AT_ONCE: Final = 500
MAX_VERSIONS: Final = 20_000
"""Of one run. The rest follows in the next one."""
_READS: Final = 8


@dg.asset(kinds={"s3", "postgres"}, owners=OWNERS, retry_policy=STORE_RETRY, freshness_policy=FRESH_DAY)
async def encoding_costs(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Core-seconds and bytes of every version that is or was playable, if the chain's documents of it are still there."""
    recorded = without = 0
    warehouse = open_warehouse(settings.database)
    try:
        async with open_stores(settings) as stores:
            while recorded + without < MAX_VERSIONS:
                versions = await warehouse.versions_without_cost(limit=VERSIONS_AT_ONCE)
                if not versions:
                    break
                costs = await gather_bounded(lambda one: cost_of(stores.objects, one), versions, max_concurrent=_READS)
                # A version whose documents are gone is recorded with 0 core-seconds, else each run would ask for it again.
                await warehouse.save_costs(costs)
                recorded += sum(1 for cost in costs if cost.core_seconds)
                without += sum(1 for cost in costs if not cost.core_seconds)
    finally:
        await warehouse.close()
    return dg.MaterializeResult(metadata={"recorded": recorded, "without_documents": without})


async def cost_of(objects: Objects, version: PublishedVersion) -> VersionCost:
    """What one version cost, by the chain's documents: its chunks and its ladder's trials. 0 core-seconds without documents."""

    async def read(stage: str) -> bytes | None:
        try:
            return await objects.get(keys.stage_key(version.movie_id, version.version, stage))
        except ObjectMissing:
            return None

    encoded, packaged, analysed = await read("renditions"), await read("streams"), await read("analysis")
    core_seconds = msgspec.json.decode(encoded, type=RenditionsDocument).cpu_seconds if encoded else 0.0
    if encoded and analysed:
        core_seconds += msgspec.json.decode(analysed, type=AnalysisDocument).cpu_seconds
    return VersionCost(
        movie_id=version.movie_id,
        version=version.version,
        core_seconds=core_seconds,
        source_bytes=version.source_bytes,
        published_bytes=msgspec.json.decode(packaged, type=StreamsDocument).size_bytes if packaged else 0,
    )
