"""Documents that an earlier release left, read as the ones of this release.

At first one stage, `manifest`, scored the picture and made the images as well, and its document held all three. Such a
version has no `quality.json` and no `images.json`: both are read out of its `manifest.json`. `ManifestDocument` itself reads
the old form, because it ignores what it does not know.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from marquee.documents.images import ImagesDocument
from marquee.documents.keys import images_prefix
from marquee.documents.quality import QualityDocument, QualityScore


class CombinedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest.json` as one stage wrote it for all three: the fields that `quality` and `images` need."""

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
"""Stage -> what makes its document out of such a `manifest.json`."""


def from_earlier_manifest(stage: str, manifest_body: bytes) -> msgspec.Struct | None:
    """The document of `quality` or `images`. None if this `manifest.json` is of the present form and holds neither."""
    try:
        old = msgspec.json.decode(manifest_body, type=CombinedManifest)
    except msgspec.ValidationError:
        return None
    return ONCE_IN_MANIFEST[stage](old)
