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


class Thumbnails(msgspec.Struct, frozen=True, kw_only=True):
    """The sprite sheets as a stream of pictures for other people's players. Paths are relative to the version's stream prefix.

    All sheets have `columns` x `rows` tiles of `tile_width` x `tile_height` pixels, each shown for `tile_seconds`, row by row.
    `sheet_seconds`: the time that each sheet covers; the last one is shorter.
    """

    playlist: str
    sheets: list[str]
    sheet_bytes: list[int]
    sheet_seconds: list[float]
    columns: int
    rows: int
    tile_width: int
    tile_height: int
    tile_seconds: float


class ImagesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a version's pictures."""

    movie_id: str
    version: int
    poster: str
    """Key of the poster in the published bucket. The one of half the size is beside it (`keys.poster`)."""
    backdrop: list[BackdropPicture] = []
    """The wide picture, the smallest size first. Empty if no frame is good enough, and in documents of earlier releases."""
    sprite: str
    """Key of the first sprite sheet."""
    sprite_vtt: str
    """Key of the index (WebVTT), which says which tile of which sheet shows which second."""
    files: list[str]
    """The keys of all pictures of this version and of the index."""
    thumbnails: Thumbnails | None = None
    """None: of an earlier release."""
    notes: list[Note] = []
