"""Reads documents that an earlier release stored as documents of this release.

In the first releases the stage `manifest` also scored the picture and made the images, and `manifest.json` held all
three. Such a version has no `quality.json` and no `images.json`: both are read from its `manifest.json`.
`ManifestDocument` reads the old form unchanged, because it ignores unknown fields.

The first releases had sentences (`warnings`, `left_out`) in the place of notes. `notes_in` reads both.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from marquee.documents.images import ImagesDocument
from marquee.documents.keys import images_prefix
from marquee.documents.quality import QualityDocument, QualityScore
from marquee.notes import Note, note


class CombinedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The old form of `manifest.json`: the fields that `quality` and `images` need."""

    movie_id: str
    version: int
    poster: str
    sprite: str
    sprite_vtt: str
    files: list[str]
    quality: list[QualityScore]


def _quality(old: CombinedManifest) -> QualityDocument:
    return QualityDocument(movie_id=old.movie_id, version=old.version, scores=old.quality)


def _images(old: CombinedManifest) -> ImagesDocument:
    prefix = images_prefix(old.movie_id, old.version)
    return ImagesDocument(
        movie_id=old.movie_id,
        version=old.version,
        poster=old.poster,
        sprite=old.sprite,
        sprite_vtt=old.sprite_vtt,
        files=[key for key in old.files if key.startswith(prefix)],
    )


ONCE_IN_MANIFEST: Final[Mapping[str, Callable[[CombinedManifest], msgspec.Struct]]] = {
    "quality": _quality,
    "images": _images,
}
"""Stage -> the function that makes its document from an old `manifest.json`."""


def from_earlier_manifest(stage: str, manifest_body: bytes) -> msgspec.Struct | None:
    """The document of `stage` (`quality` or `images`).

    None if `manifest_body` has the present form, which holds neither.
    """
    try:
        old = msgspec.json.decode(manifest_body, type=CombinedManifest)
    except msgspec.ValidationError:
        return None
    return ONCE_IN_MANIFEST[stage](old)


class _NotedDocument(msgspec.Struct, frozen=True):
    """The notes of any stage's document, and the sentences that earlier releases stored in their place."""

    notes: list[Note] = []
    warnings: list[str] = []
    left_out: list[str] = []


def notes_in(body: bytes) -> list[Note]:
    """The notes of a stored document, whichever stage and release wrote it."""
    stored = msgspec.json.decode(body, type=_NotedDocument)
    return [*stored.notes, *(note("earlier-release", sentence=one) for one in [*stored.warnings, *stored.left_out])]
