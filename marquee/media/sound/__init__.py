"""A title's audio renditions: which source streams form which rendition, and how each is encoded."""
