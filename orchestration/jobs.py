"""Dagster's jobs: `ingest`, the whole chain for one title, run by the definitions' executor."""

import dagster as dg

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.all(),
    description="A title, from its uploaded master to playable and searchable.",
)
