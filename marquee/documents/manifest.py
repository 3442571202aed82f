"""A version that is whole on the published bucket: its manifests and pictures, how good it looks, which edges hold it.

`manifest` leaves the first, with VMAF of a sample; `prewarm` the last, from what each edge answered.
"""

import msgspec


class QualityScore(msgspec.Struct, frozen=True, kw_only=True):
    """VMAF of a rendition on a sample of its segments, scored at the source's display size."""

    rung: str
    vmaf_mean: float
    vmaf_min: float
    frames_scored: int
    segments_scored: int
    cpu_seconds: float


class ManifestDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    hls: str
    """Key of the master playlist in the published bucket."""
    dash: str
    poster: str
    sprite: str
    sprite_vtt: str
    duration_seconds: float
    files: list[str]
    """Every published key that belongs to this version, so that prewarm and checks need no listing."""
    quality: list[QualityScore] = []


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
