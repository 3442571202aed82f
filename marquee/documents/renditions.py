"""The jobs that transcode workers take, their results, and the renditions that the results make up.

The stage `renditions` queues one `ChunkJob` a chunk and waits for its `ChunkResult`. Both travel through the job queue
as JSON. Its document has the whole ladder as it was encoded, and the cost of the encoding.
"""

import msgspec

from marquee.documents.plan import Chunk, EncodingSettings, Rung
from marquee.documents.source import SourceDocument
from marquee.notes import Note


class ChunkJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a transcode worker gets: all rungs of one chunk, to be encoded by one ffmpeg call.

    `job_id` is the content address: SHA-256 over (source sha256, chunk range, settings hash). Equal jobs have equal
    results, for any title.
    """

    job_id: str
    movie_id: str
    version: int
    source: SourceDocument
    """Of its `frames`, only those of this chunk."""
    chunk: Chunk
    settings: EncodingSettings
    result_prefix: str
    """Where the renditions go in the ingest bucket. Each attempt writes to its own folder below this prefix."""


class RenditionPart(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of one chunk, stored and verified."""

    rung: str
    key: str
    size_bytes: int
    frames: int
    sha256: str


class ChunkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker returns: the parts, one for each rung, and what their encoding cost."""

    parts: list[RenditionPart]
    cpu_seconds: float
    wall_seconds: float
    worker: str
    decoded_again: bool = False
    """Whether the chunk failed after a seek and was decoded from the film's start."""


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """A whole rendition as it was encoded: all chunks of one rung."""

    rung: Rung
    size_bytes: int
    frames: int
    average_bitrate_bps: int


class RenditionsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The ladder of a version as it was encoded. `reused_chunks` were found encoded already."""

    movie_id: str
    version: int
    renditions: list[Rendition]
    chunk_results: list[ChunkResult]
    """In chunk order."""
    reused_chunks: int
    cpu_seconds: float
    wall_seconds: float
    notes: list[Note] = []
