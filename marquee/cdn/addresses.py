"""Public addresses: of streams and images at the edges, and of a title's page in the web client. Made here alone.

A title is always served by the same edge (`edge_of`), so that its files are in one cache. A stream's path is signed
(`signed_paths`) and ends with its expiry; an image's path is its key in the published bucket, open and immutable.
"""

import hashlib
from collections.abc import Sequence
from typing import overload

from marquee.cdn.signed_paths import stream_path
from marquee.documents import keys
from marquee.settings import Settings


def edge_of(movie_id: str, edges: Sequence[str]) -> str:
    """The edge that serves a title: rendezvous hashing, so that every API process agrees and a lost edge moves only its own.

    Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998.
    """
    return max(edges, key=lambda edge: hashlib.blake2b(f"{edge} {movie_id}".encode(), digest_size=8).digest())


def title_page(settings: Settings, movie_id: str) -> str:
    """A title's page in the web client."""
    return f"{settings.public}/title/{movie_id}"


class EdgeAddresses:
    def __init__(self, settings: Settings) -> None:
        self._edges = settings.edges
        self._secret = settings.edge_secret.get_secret_value()

    @overload
    def image(self, movie_id: str, key: str) -> str: ...
    @overload
    def image(self, movie_id: str, key: str | None) -> str | None: ...
    def image(self, movie_id: str, key: str | None) -> str | None:
        """Of an image by its key in the published bucket; None for none."""
        return None if key is None else f"{edge_of(movie_id, self._edges)}/{key}"

    def stream(self, movie_id: str, version: int, key: str, *, expires_at: int) -> str:
        """Of a version's file by its key in the published bucket, until `expires_at` (Unix seconds)."""
        return edge_of(movie_id, self._edges) + self.path(movie_id, version, key, expires_at=expires_at)

    def path(self, movie_id: str, version: int, key: str, *, expires_at: int) -> str:
        """A version's stream or image at any edge, by its key in the published bucket."""
        below = keys.published_prefix(movie_id, version)
        if not key.startswith(below):
            return f"/{key}"
        return stream_path(self._secret, movie_id, version, expires_at=expires_at) + key.removeprefix(below)
