"""Chunks as transcode workers take them and give them back, and the renditions that they make up.

`renditions` queues a `ChunkJob` a chunk and waits for its `ChunkResult`; both travel through the job queue as JSON. What it
leaves is the whole ladder as it was encoded, and what that took.
"""

import msgspec

from marquee.documents.plan import Chunk, EncodingSettings, Rung
from marquee.documents.source import SourceDocument


class ChunkJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a transcode worker is handed: all rungs of one chunk, to be made in one ffmpeg call.

    `job_id` is the content address: SHA-256 over (source sha256, chunk range, settings hash). Equal jobs have equal
    results, whichever title asked for them.
    """

    job_id: str
    movie_id: str
    version: int
    source: SourceDocument
    chunk: Chunk
    settings: EncodingSettings
    result_prefix: str
    """Where in the ingest bucket the chunk's renditions go, each attempt below it in a folder of its own."""


class RenditionPart(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of one chunk, stored and verified."""

    rung: str
    key: str
    size_bytes: int
    frames: int
    sha256: str


class ChunkResult(msgspec.Struct, frozen=True, kw_only=True):
    parts: list[RenditionPart]
    cpu_seconds: float
    wall_seconds: float
    worker: str


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """A whole rendition as it was encoded: all chunks of one rung."""

    rung: Rung
    size_bytes: int
    frames: int
    average_bitrate_bps: int


class RenditionsDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    renditions: list[Rendition]
    chunk_results: list[ChunkResult]
    """In chunk order."""
    reused_chunks: int
    cpu_seconds: float
    wall_seconds: float
