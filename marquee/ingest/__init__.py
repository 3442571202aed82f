"""Rules of the ingest chain that more than one process follows; above the stores, below whoever calls them."""
