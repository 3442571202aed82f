"""Rules of the ingest chain that more than one process follows: the chain's stages, the API, the jobs."""
