"""Settings of the edges: a group of `marquee.settings.groups`, in a module of its own for its length."""

from pydantic import BaseModel, Field


class Edges(BaseModel):
    """Edges"""

    edge_ttl_seconds: int = Field(
        3600, ge=1, description="Seconds for which an edge serves a cached file without asking S3, even a deleted one."
    )
    edge_cache_bytes: int = Field(2 * 1024**3, ge=1024**2, description="Bytes of disk for the cache of one edge.")
    edge_log_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of playback sessions, from 0 to 1, whose requests at the edges become viewing events. Every host "
        "keeps the same sessions. 0: the edges log nothing.",
    )
    edge_log_bytes: int = Field(
        256 * 1024**2,
        ge=1024**2,
        description="Bytes of disk for what one edge has logged and `edge-logs` has not yet read. Beyond them the oldest lines "
        "are dropped, and counted.",
    )
