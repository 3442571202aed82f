"""The typed documents that the chain's stages hand on, and the jobs that workers take.

Each stage leaves one document at `titles/{movie_id}/v{version}/{stage}.json` in the ingest bucket and reads
those before it. All times are seconds unless the name says otherwise; frame rates are exact fractions
(`"30000/1001"`), because a rounded rate drifts by a segment in half an hour.
"""

from fractions import Fraction
from typing import Final, Literal

import msgspec

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


class VideoStream(msgspec.Struct, frozen=True, kw_only=True):
    """The picture as it is stored and as it is meant to be shown.

    `width`/`height` are coded pixels; `display_width`/`display_height` are square pixels after sample aspect
    ratio and rotation, both even and never more than the source has; `rotation` is degrees clockwise to apply (0, 90, 180,
    270), after the picture was mirrored left to right where `mirrored` says so.
    """

    index: int
    codec: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int = 0
    mirrored: bool = False
    sample_aspect_ratio: str = "1/1"
    frame_rate: str = "25/1"
    variable_frame_rate: bool = False
    clock: Literal["container", "mended", "counted"] = "container"
    """Where times come from: the container; the container, with its jumps mended by ffmpeg as it reads from the start; or, where
    there is no order in them, nowhere: then frames follow each other at `frame_rate`, and sound by its samples."""
    interlaced: bool = False
    top_field_first: bool = True
    pixel_format: str = "yuv420p"
    bit_depth: int = 8
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    changes: bool = False
    """Size or pixel format change midway; `width`, `height` and `pixel_format` are the most frequent ones."""
    start_seconds: float = 0.0
    duration_seconds: float = 0.0
    bitrate_bps: int | None = None

    @property
    def hdr(self) -> bool:
        """PQ or HLG: must be tone-mapped for an SDR rendition."""
        return self.color_transfer in {"smpte2084", "arib-std-b67"}

    @property
    def rate(self) -> Fraction:
        return Fraction(self.frame_rate)


class AudioStream(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    codec: str
    channels: int
    sample_rate: int
    channel_layout: str | None = None
    language: str = "und"
    title: str | None = None
    default: bool = False
    start_seconds: float = 0.0
    duration_seconds: float = 0.0


class SubtitleStream(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is false for bitmap subtitles, which cannot become WebVTT and are reported as left out."""

    index: int
    codec: str
    language: str = "und"
    title: str | None = None
    forced: bool = False
    default: bool = False
    text: bool = True


class SourceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `source` found: an accepted master, judged by probing and by decoding."""

    movie_id: str
    version: int
    upload_id: str
    key: str
    file_name: str
    size_bytes: int
    sha256: str
    container: str
    duration_seconds: float
    video: VideoStream
    audio: list[AudioStream]
    subtitles: list[SubtitleStream]
    frames_decoded: int
    frames_damaged: int
    seekable: bool
    """False where the container's index cannot be trusted: such a source is cut by decoding from its start."""
    warnings: list[str] = []
    same_content_as: str | None = None
    """movie_id of another title whose newest master has the same SHA-256, where there is one."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the ladder. `bitrate_bps` is the target average, `max_bitrate_bps` the VBV maximum."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    buffer_bits: int
    codec: Literal["h264"] = "h264"
    profile: Literal["baseline", "main", "high"] = "high"
    level: str = "4.0"


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A run of whole segments, counted in output frames from the title's first frame."""

    index: int
    start_frame: int
    frames: int


class EncodingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides an encoder's output besides the source and the range; hashed into the chunk's identity."""

    frame_rate: str
    gop_frames: int
    segment_frames: int
    preset: str
    crf: int = 21
    """Constant quality under each rung's VBV cap: chunks are encoded apart, and an average rate would start each one by
    guessing and show a step at every seam."""
    options_version: int = 1
    """Raised with any change of the encoder's other options, so that no chunk of before is taken for one of after."""
    rungs: list[Rung]
    filters: str
    """The ffmpeg filter graph up to the split (deinterlace, rotate, square pixels, rate, tone map)."""
    encoder: str
    """Encoder name and version, such as `libx264 core 165`."""


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan` decided: ladder, chunks and the exact frame grid."""

    movie_id: str
    version: int
    total_frames: int
    settings: EncodingSettings
    settings_hash: str
    chunks: list[Chunk]

    @property
    def duration_seconds(self) -> float:
        return float(self.total_frames / Fraction(self.settings.frame_rate))


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


class PackagedStream(msgspec.Struct, frozen=True, kw_only=True):
    """One CMAF track on the published bucket, with its media playlist (relative to the version's prefix).

    `segment_seconds` and `segment_bytes` are measured, one entry a segment; `peak_bps` is the largest segment's rate
    and `average_bps` the mean over the whole track, as RFC 8216 defines BANDWIDTH and AVERAGE-BANDWIDTH.
    """

    kind: Literal["video", "audio"]
    name: str
    playlist: str
    iframe_playlist: str | None = None
    iframe_bandwidth: int | None = None
    init_segment: str
    segments: list[str]
    segment_seconds: list[float]
    segment_bytes: list[int]
    average_bps: int
    peak_bps: int
    codecs: str
    start_seconds: float
    width: int | None = None
    height: int | None = None
    frame_rate: str | None = None
    channels: int | None = None
    sample_rate: int | None = None
    language: str | None = None
    label: str | None = None
    default: bool = False


class StreamsDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    prefix: str
    video: list[PackagedStream]
    audio: list[PackagedStream]
    segment_frames: int
    size_bytes: int


class TextTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A WebVTT track: one whole file, and an HLS playlist that names it."""

    name: str
    language: str
    label: str
    key: str
    playlist: str
    cues: int
    forced: bool = False
    default: bool = False


class SubtitlesDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    tracks: list[TextTrack]
    left_out: list[str]
    """One sentence a track that could not become WebVTT."""


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


class TitlePublished(msgspec.Struct, frozen=True, kw_only=True):
    """What `title` left: the revision of the title's document, and when its transaction was committed."""

    movie_id: str
    version: int
    revision: int
    committed_at_ms: int


class TitleIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """What `search_document` observed; `revision` is the one that a search found, `lag_seconds` is from the commit to when this
    was seen, so at most that."""

    movie_id: str
    version: int
    revision: int
    lag_seconds: float


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A title as the search index holds it and `title_document.document` stores it.

    `revision` is the index's external version: a change with a lower or equal revision is refused.
    """

    movie_id: str
    revision: int
    title: str
    year: int | None = None
    aka: list[str] = []
    genres: list[str] = []
    people: list[str] = []
    description: str | None = None
    popularity: float = 0.0
    """`log1p(votes)` or watch count: a mild prior, not a sort key."""
    playable: bool = False
    duration_seconds: float | None = None
    poster: str | None = None
