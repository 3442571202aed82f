"""The code location `ingest`: the chain's assets, checks, job and sensors, put together for Dagster.

Its code server and `dagster definitions validate` load this module. Loading reads one setting, the executor, and opens nothing:
the other settings are read when an asset or a sensor runs. Other locations have modules of their own, so that a film's run
never imports what they need.
"""

import dagster as dg

from assets import ingest as ingest_chain
from marquee.settings import load_settings
from orchestration.executor import executor_of
from orchestration.jobs import INGEST_GROUP, ingest
from orchestration.resources import PlatformSettings
from orchestration.sensors import cancelled_ingests, lost_ingests, uploads


@dg.definitions
def defs() -> dg.Definitions:
    return ingest_definitions(PlatformSettings(), executor=executor_of(load_settings()))


def ingest_definitions(settings: object, *, executor: dg.ExecutorDefinition = dg.in_process_executor) -> dg.Definitions:
    """All of this location. `settings` is `Settings`, or the resource that reads them where an asset runs."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(ingest_chain, group_name=INGEST_GROUP),
        asset_checks=dg.load_asset_checks_from_package_module(ingest_chain),
        jobs=[ingest],
        sensors=[uploads, lost_ingests, cancelled_ingests],
        resources={"settings": settings},
        executor=executor,
    )
