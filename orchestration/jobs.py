"""Dagster's jobs: `ingest`, the whole chain for one title.

In one process: the heavy work is in the transcode workers, and a process a step would cost seconds each.
"""

import dagster as dg

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="A title, from its uploaded master to playable and searchable.",
)
