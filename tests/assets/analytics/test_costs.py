"""What a version cost: its chunks and the trials of its ladder, by the chain's documents."""

import msgspec

from assets.analytics.costs import cost_of
from marquee.documents import AnalysisDocument, RenditionsDocument, keys
from marquee.stores.objects.contract import Objects
from marquee.stores.warehouse.contract import PublishedVersion
from tests.harness.stored_upload import objects  # noqa: F401


async def test_the_trials_of_a_ladder_are_a_cost_of_the_version(objects: Objects) -> None:  # noqa: F811
    version = PublishedVersion(movie_id="m_costs", version=1, source_bytes=10)

    async def store(stage: str, document: msgspec.Struct) -> None:
        key = keys.stage_key("m_costs", 1, stage)
        await objects.put(key, msgspec.json.encode(document), content_type="application/json")

    encoded = RenditionsDocument(
        movie_id="m_costs",
        version=1,
        renditions=[],
        chunk_results=[],
        reused_chunks=0,
        cpu_seconds=40.0,
        wall_seconds=1.0,
    )
    assert (await cost_of(objects, version)).core_seconds == 0
    await store("renditions", encoded)
    assert (await cost_of(objects, version)).core_seconds == 40, "a version of an earlier release has no analysis"
    await store("analysis", AnalysisDocument(movie_id="m_costs", version=1, ladder="by-title", cpu_seconds=2.0))
    assert (await cost_of(objects, version)).core_seconds == 42
