"""A version's pictures on the published bucket: the poster, and the sprite sheets for scrubbing. `images` writes it."""

import msgspec


class ImagesDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    poster: str
    """Key of the poster in the published bucket."""
    sprite: str
    """Key of the first sprite sheet."""
    sprite_vtt: str
    """Key of the index: which tile of which sheet shows which second."""
    files: list[str]
    """The keys of all pictures of this version, and of the index."""
