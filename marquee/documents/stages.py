"""The stages of the chain, in order. Each stage writes one document, at `keys.stage_key`."""

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
"""The stages after the upload, in order."""
