"""Search as you type, and suggestions, over the search index."""
