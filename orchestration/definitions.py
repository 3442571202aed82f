"""The composition root of Dagster's side: `workspace.yaml` and `dagster definitions validate` load this module.

Loading reads one setting, the executor, and opens nothing: the others are read when an asset or a sensor runs.
"""

import dagster as dg

from assets import ingest as ingest_chain
from marquee.settings import load_settings
from orchestration.executor import executor_of
from orchestration.jobs import ingest
from orchestration.resources import PlatformSettings
from orchestration.sensors import lost_ingests, uploads


@dg.definitions
def defs() -> dg.Definitions:
    return platform(PlatformSettings(), executor=executor_of(load_settings()))


def platform(settings: object, *, executor: dg.ExecutorDefinition = dg.in_process_executor) -> dg.Definitions:
    """Everything that Dagster runs; `settings` is `Settings`, or the resource that reads them where an asset runs."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(ingest_chain, group_name="ingest"),
        asset_checks=dg.load_asset_checks_from_package_module(ingest_chain),
        jobs=[ingest],
        sensors=[uploads, lost_ingests],
        resources={"settings": settings},
        executor=executor,
    )
