"""Public addresses of posters and sprites: any edge serves them, without a token, for ever."""

from collections.abc import Sequence

from marquee.domain.playback import edge_of


def image_url(key: str | None, movie_id: str, edges: Sequence[str]) -> str | None:
    """The address of an image by its key in the published bucket (`images/{movie_id}/v1/poster.jpg`)."""
    if key is None:
        return None
    path = key.lstrip("/")
    return f"{edge_of(movie_id, edges)}/{path if path.startswith('images/') else f'images/{path}'}"
