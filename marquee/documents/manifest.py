"""A version that is whole on the published bucket, and the edges that hold it.

`manifest` writes the first document: what a player opens, and every file of the version. `prewarm` writes the second, from
what each edge answered.
"""

import msgspec


class ManifestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `prewarm` and `title` need. An earlier release stored more in it: see `earlier`."""

    movie_id: str
    version: int
    hls: str
    """Key of the master playlist in the published bucket."""
    dash: str
    poster: str
    sprite_vtt: str
    duration_seconds: float
    files: list[str]
    """Every published key that belongs to this version, so that prewarm and checks need no listing."""


class EdgeResult(msgspec.Struct, frozen=True, kw_only=True):
    edge: str
    requested: int
    hits: int
    failed: int
    bytes: int
    seconds: float


class PrewarmDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    hot: bool
    edges: list[EdgeResult]
