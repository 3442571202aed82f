"""The typed documents that the chain's stages hand on, and the jobs that workers take. Import them from here only.

Each stage writes one document (`keys.stage_key`) to the ingest bucket and reads the documents of earlier stages. Times
are seconds unless the name says otherwise. Frame rates are exact fractions (`"30000/1001"`): a rounded rate drifts by a
segment in half an hour.
"""

from marquee.documents.analysis import AnalysedSample, AnalysisDocument, LadderPoint, RungOverride
from marquee.documents.decoded_frames import DecodedFrames
from marquee.documents.earlier import ONCE_IN_MANIFEST, from_earlier_manifest, notes_in
from marquee.documents.images import BackdropPicture, ImagesDocument, Thumbnails
from marquee.documents.manifest import EdgeResult, ManifestDocument, PrewarmDocument
from marquee.documents.offered import OfferedPicture, OfferedSound, OfferedText, OfferedTracks, offered_tracks
from marquee.documents.plan import (
    AudioBitrates,
    Chunk,
    Codec,
    EncodingSettings,
    PlanDocument,
    ProfileName,
    Rung,
)
from marquee.documents.quality import QualityDocument, QualityScore, SecondLook
from marquee.documents.renditions import ChunkJob, ChunkResult, Rendition, RenditionPart, RenditionsDocument
from marquee.documents.source import (
    HDR_TRANSFERS,
    AudioRole,
    AudioStream,
    Light,
    SourceDocument,
    Stretch,
    SubtitleStream,
    Turn,
    VideoStream,
)
from marquee.documents.stages import DOCUMENT_OF_STAGE, STAGES, StageDocument
from marquee.documents.title import SearchDocument, TitleIndexed, TitlePublished
from marquee.documents.tracks import (
    Colours,
    PackagedStream,
    StreamsDocument,
    SubtitlesDocument,
    TextTrack,
    video_by_codec,
)

__all__ = [
    "DOCUMENT_OF_STAGE",
    "HDR_TRANSFERS",
    "ONCE_IN_MANIFEST",
    "STAGES",
    "AnalysedSample",
    "AnalysisDocument",
    "AudioBitrates",
    "AudioRole",
    "AudioStream",
    "BackdropPicture",
    "Chunk",
    "ChunkJob",
    "ChunkResult",
    "Codec",
    "Colours",
    "DecodedFrames",
    "EdgeResult",
    "EncodingSettings",
    "ImagesDocument",
    "LadderPoint",
    "Light",
    "ManifestDocument",
    "OfferedPicture",
    "OfferedSound",
    "OfferedText",
    "OfferedTracks",
    "PackagedStream",
    "PlanDocument",
    "PrewarmDocument",
    "ProfileName",
    "QualityDocument",
    "QualityScore",
    "Rendition",
    "RenditionPart",
    "RenditionsDocument",
    "Rung",
    "RungOverride",
    "SearchDocument",
    "SecondLook",
    "SourceDocument",
    "StageDocument",
    "StreamsDocument",
    "Stretch",
    "SubtitleStream",
    "SubtitlesDocument",
    "TextTrack",
    "Thumbnails",
    "TitleIndexed",
    "TitlePublished",
    "Turn",
    "VideoStream",
    "from_earlier_manifest",
    "notes_in",
    "offered_tracks",
    "video_by_codec",
]
