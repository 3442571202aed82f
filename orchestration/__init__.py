"""Dagster's side of the platform: a module for each code location (`ingest`), which puts its assets, jobs and sensors together.

`sensors` start and settle runs, `resources` give the settings to assets, `launcher` notices a run whose process is gone,
`storage` and `executor` follow the settings. The work itself is in `assets`.
"""
