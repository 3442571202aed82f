"""The code location `analytics`: assets, checks, jobs, schedules and a sensor from the lake's events to accepted rows and marts.

Its code server and `dagster definitions validate` load this module, also where the extra `analytics` is not installed:
Spark and dbt are processes of their own, and Great Expectations is imported where a check judges. Loading reads one
setting, the executor, and opens nothing.
"""

import dagster as dg

from assets import analytics as analytics_chain
from marquee.settings import load_settings
from orchestration.analytics_jobs import ANALYTICS_GROUP, analytics_day, analytics_hour, analytics_marts
from orchestration.analytics_schedules import day_after_midnight, hour_after_its_end
from orchestration.analytics_sensors import late_analytics
from orchestration.executor import executor_of
from orchestration.resources import PlatformSettings


@dg.definitions
def defs() -> dg.Definitions:
    return analytics_definitions(PlatformSettings(), executor=executor_of(load_settings()))


def analytics_definitions(
    settings: object, *, executor: dg.ExecutorDefinition = dg.in_process_executor
) -> dg.Definitions:
    """All of this location. `settings` is `Settings`, or the resource that reads them where an asset runs."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(analytics_chain, group_name=ANALYTICS_GROUP),
        asset_checks=dg.load_asset_checks_from_package_module(analytics_chain),
        jobs=[analytics_hour, analytics_day, analytics_marts],
        schedules=[hour_after_its_end, day_after_midnight],
        sensors=[late_analytics],
        resources={"settings": settings},
        executor=executor,
    )
