"""One line of a catalogue file as an announced title: known to the platform, found by search, not playable.

The movie_id is derived from the line's own `id`, so that a second import changes titles instead of doubling them.
"""

from typing import Any

import msgspec

from marquee.domain.ids import movie_id_of
from marquee.errors import InputInvalid


class AnnouncedTitle(msgspec.Struct, frozen=True):
    """The fields that are read of a line; any other is ignored, a null list is an empty one."""

    id: int | str
    title: str
    year: int | None = None
    aka: list[str] | None = None
    genres: list[str] | None = None
    cast: list[str] | None = None
    directors: list[str] | None = None
    description: str | None = None
    votes: float | None = None

    @property
    def movie_id(self) -> str:
        return movie_id_of(f"announced:{self.id}")

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*(self.directors or []), *(self.cast or [])]))


_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnnouncedTitle)


def read_announced(line: bytes, *, number: int) -> AnnouncedTitle:
    """Raises `InputInvalid` naming the line and the field."""
    try:
        title: AnnouncedTitle = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"Line {number} is not a catalogue title: {error}.", field=f"line {number}") from error
    if not title.title.strip() or "\x00" in title.title:
        raise InputInvalid(f"Line {number} has no usable title.", field=f"line {number}.title")
    return title
