"""Search and suggestions over the search index."""
