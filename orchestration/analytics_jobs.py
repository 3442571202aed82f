"""Dagster's jobs of analytics. `analytics_hour` judges an hour's events, `analytics_day` is the whole chain of a day.

Their runs have a tag of which Dagster's queue lets one run at a time: two Spark jobs at once would take twice the memory.
"""

from typing import Final

import dagster as dg

from assets.analytics.lateness import CHECKED
from marquee.domain.priority import ANALYTICS_RUN, ANALYTICS_TAG

ANALYTICS_GROUP: Final = "analytics"
"""The group of the assets of this location."""
_TAGS: Final = {ANALYTICS_TAG: ANALYTICS_RUN}
_LATENESS: Final = dg.AssetSelection.checks(*CHECKED)
"""What is late is said by the sensor, and holds no run back."""

analytics_hour = dg.define_asset_job(
    "analytics_hour",
    selection=dg.AssetSelection.assets("event_hour") - _LATENESS,
    tags=_TAGS,
    description="The events of one hour (UTC) are in the lake, and are sound.",
)
analytics_day = dg.define_asset_job(
    "analytics_day",
    selection=dg.AssetSelection.groups(ANALYTICS_GROUP) - dg.AssetSelection.assets("event_hour") - _LATENESS,
    tags=_TAGS,
    description="From a day's events (UTC) to accepted rows and marts. Twice gives the same. A range of days is one run, which "
    "makes its batches once.",
)
analytics_marts = dg.define_asset_job(
    "analytics_marts",
    selection=(
        dg.AssetSelection.assets("catalogue", "encoding_costs", "accepted_marts")
        | dg.AssetSelection.key_prefixes("marts")
    )
    - _LATENESS,
    tags=_TAGS,
    description="The marts alone, from the facts that are there: a few seconds, without Spark.",
)
