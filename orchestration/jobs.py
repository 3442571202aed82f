"""Dagster's jobs. `ingest`: the whole chain for one title."""

from typing import Final

import dagster as dg

INGEST_GROUP: Final = "ingest"
"""The group of the chain's assets."""

ingest = dg.define_asset_job(
    "ingest",
    # Not all assets: others may stand in the same location.
    selection=dg.AssetSelection.groups(INGEST_GROUP),
    description="A title, from its uploaded master to playable and searchable.",
)
