"""The stages of the chain, in order: each leaves one document, at `keys.stage_key`."""

from typing import Final

STAGES: Final = (
    "source",
    "plan",
    "renditions",
    "streams",
    "subtitles",
    "quality",
    "images",
    "manifest",
    "prewarm",
    "title",
    "search_document",
)
"""The chain's stages after the upload, in order."""
