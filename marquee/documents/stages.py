"""The stages of the chain, in order, and the type of the document that each stage writes at `keys.stage_key`."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from marquee.documents.analysis import AnalysisDocument
from marquee.documents.images import ImagesDocument
from marquee.documents.manifest import ManifestDocument, PrewarmDocument
from marquee.documents.plan import PlanDocument
from marquee.documents.quality import QualityDocument
from marquee.documents.renditions import RenditionsDocument
from marquee.documents.source import SourceDocument
from marquee.documents.title import TitleIndexed, TitlePublished
from marquee.documents.tracks import StreamsDocument, SubtitlesDocument

STAGES: Final = (
    "source",
    "analysis",
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

StageDocument: TypeAlias = (
    SourceDocument
    | AnalysisDocument
    | PlanDocument
    | RenditionsDocument
    | StreamsDocument
    | SubtitlesDocument
    | QualityDocument
    | ImagesDocument
    | ManifestDocument
    | PrewarmDocument
    | TitlePublished
    | TitleIndexed
)
"""Every document has `notes`: what the stage tells the film's uploader."""

DOCUMENT_OF_STAGE: Final[Mapping[str, type[StageDocument]]] = {
    "source": SourceDocument,
    "analysis": AnalysisDocument,
    "plan": PlanDocument,
    "renditions": RenditionsDocument,
    "streams": StreamsDocument,
    "subtitles": SubtitlesDocument,
    "quality": QualityDocument,
    "images": ImagesDocument,
    "manifest": ManifestDocument,
    "prewarm": PrewarmDocument,
    "title": TitlePublished,
    "search_document": TitleIndexed,
}
