"""All public addresses: of streams and images at the edges, and of a title's page in the web client.

One edge serves all files of a title (`edge_of`), so its files are in one cache. A stream's path is signed and holds its
expiry and its playback session (`signed_paths`). An image's path is its key in the published bucket: public and immutable.
"""

import hashlib
from collections.abc import Sequence
from typing import overload

from marquee.cdn.signed_paths import stream_path
from marquee.documents import keys
from marquee.settings import Settings


def edge_of(movie_id: str, edges: Sequence[str]) -> str:
    """The edge that serves a title, by rendezvous hashing.

    All API processes choose the same edge, and a lost edge moves only its own titles. Source: Thaler and Ravishankar,
    "Using Name-Based Mappings to Increase Hit Rates", 1998.
    """
    return max(edges, key=lambda edge: hashlib.blake2b(f"{edge} {movie_id}".encode(), digest_size=8).digest())


def public_address(settings: Settings, edge: str) -> str:
    """The address under which viewers reach the edge of a program's name (`edge-2`: the second one), else the name."""
    number = edge.removeprefix("edge-")
    if number.isdecimal() and 0 < int(number) <= len(settings.edges):
        return settings.edges[int(number) - 1]
    return edge


def title_page(settings: Settings, movie_id: str) -> str:
    """The URL of a title's page in the web client."""
    return f"{settings.public}/title/{movie_id}"


class EdgeAddresses:
    """Builds addresses at the edges of the settings, signed with the edges' secret."""

    def __init__(self, settings: Settings) -> None:
        self._edges = settings.edges
        self._secret = settings.edge_secret.get_secret_value()

    def edge(self, movie_id: str) -> str:
        """The public address of the edge that serves a title."""
        return edge_of(movie_id, self._edges)

    @overload
    def image(self, movie_id: str, key: str) -> str: ...
    @overload
    def image(self, movie_id: str, key: str | None) -> str | None: ...
    def image(self, movie_id: str, key: str | None) -> str | None:
        """The URL of an image, by its key in the published bucket. None for no key."""
        return None if key is None else f"{edge_of(movie_id, self._edges)}/{key}"

    def stream(self, movie_id: str, version: int, key: str, *, expires_at: int, session_id: str | None = None) -> str:
        """The URL of a version's file, by its key in the published bucket. Valid until `expires_at` (Unix seconds).

        `session_id`: the playback session that the edge's log names. None for what no viewer plays.
        """
        path = self.path(movie_id, version, key, expires_at=expires_at, session_id=session_id)
        return edge_of(movie_id, self._edges) + path

    def path(self, movie_id: str, version: int, key: str, *, expires_at: int, session_id: str | None = None) -> str:
        """The path of a version's stream or image at any edge, by its key in the published bucket."""
        below = keys.published_prefix(movie_id, version)
        if not key.startswith(below):
            return f"/{key}"
        signed = stream_path(self._secret, movie_id, version, expires_at=expires_at, session_id=session_id)
        return signed + key.removeprefix(below)
