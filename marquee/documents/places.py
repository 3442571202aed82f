"""The chain's stages, and where each leaves its document and what a viewer gets.

A stage's document is at `titles/{movie_id}/v{version}/{stage}.json` in the ingest bucket, and chunks lie below `chunks/`
there; streams and images are in the published bucket, each version's below prefixes of its own. Removal of a title
(`marquee.ingest.removal`) goes by the same prefixes.
"""

from typing import Final

STAGES: Final = (
    "source",
    "plan",
    "renditions",
    "streams",
    "subtitles",
    "manifest",
    "prewarm",
    "title",
    "search_document",
)
"""The chain's stages after the upload, in order."""


def stage_key(movie_id: str, version: int, stage: str) -> str:
    """The object key of a stage's document in the ingest bucket."""
    return f"titles/{movie_id}/v{version}/{stage}.json"


CHUNKS_PREFIX: Final = "chunks/"
"""Below it in the ingest bucket: `{job_id}/{attempt}/{rung}.mp4`."""


def published_prefix(movie_id: str, version: int) -> str:
    """Where a version's streams lie in the published bucket (needs a viewer's token at the edge)."""
    return f"{movie_id}/v{version}/"


def images_prefix(movie_id: str, version: int) -> str:
    """Where a version's poster and sprites lie in the published bucket (public and immutable)."""
    return f"images/{movie_id}/v{version}/"
