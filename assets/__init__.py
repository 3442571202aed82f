"""Dagster's assets, one package for each group. `ingest`: the chain from an upload to a playable title."""
