"""A version that is complete in the published bucket, and the edges that hold it.

The stage `manifest` writes the first document: what a player opens, and every file of the version. `prewarm` writes the
second, from what each edge answered.
"""

import msgspec

from marquee.documents.images import Thumbnails
from marquee.notes import Note


class ManifestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `prewarm` and `title` need. An earlier release stored more fields in it: see `earlier`."""

    movie_id: str
    version: int
    hls: str
    """Key of the master playlist in the published bucket."""
    dash: str
    poster: str
    sprite_vtt: str
    duration_seconds: float
    files: list[str]
    """Every published key of this version, so that `prewarm` and the checks need not list the bucket."""
    notes: list[Note] = []
    thumbnails: Thumbnails | None = None
    """The sheets that both manifests name."""


class EdgeResult(msgspec.Struct, frozen=True, kw_only=True):
    """One edge's fill: files requested, files that its cache then served, the remaining files, bytes, seconds."""

    edge: str
    requested: int
    hits: int
    failed: int
    bytes: int
    seconds: float


class PrewarmDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `prewarm` did. `edges` is empty for a title that is not hot."""

    movie_id: str
    version: int
    hot: bool
    edges: list[EdgeResult]
    notes: list[Note] = []
