"""A title's audio renditions: which streams become which rendition, and how each is encoded."""
