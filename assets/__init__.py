"""The assets of Dagster, a package a group: `ingest` is the chain from an upload to a playable title."""
