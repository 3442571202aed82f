"""A version's pictures in the published bucket: the poster, the backdrop, and the sprite sheets for scrubbing.

The stage `images` writes the document; `manifest` and `title` read it.
"""

import msgspec

from marquee.notes import Note


class BackdropPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One size of the wide picture behind a title's name. `key`: in the published bucket."""

    key: str
    width: int
    height: int


class ImagesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a version's pictures."""

    movie_id: str
    version: int
    poster: str
    """Key of the poster in the published bucket."""
    backdrop: list[BackdropPicture] = []
    """The wide picture, the smallest size first. Empty if no frame is good enough, and in documents of earlier releases."""
    sprite: str
    """Key of the first sprite sheet."""
    sprite_vtt: str
    """Key of the index (WebVTT), which says which tile of which sheet shows which second."""
    files: list[str]
    """The keys of all pictures of this version and of the index."""
    notes: list[Note] = []
