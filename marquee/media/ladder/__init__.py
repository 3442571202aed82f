"""A title's ladder as a content engineer sees it."""
