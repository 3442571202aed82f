"""Reads one line of a catalogue file as an announced title: known to the platform, found by search, not playable.

The movie_id is derived from the line's own `id`, so a second import changes the titles of the first instead of adding
them again. A line that cannot be used is refused with its number and its field.
"""

from typing import Annotated, Any

import msgspec

from marquee.domain.ids import movie_id_of
from marquee.errors import InputInvalid


class AnnouncedTitle(msgspec.Struct, frozen=True):
    """The fields that are read of a line. Other fields are ignored; a null list counts as an empty one."""

    id: int | str
    title: str
    year: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None
    aka: list[str] | None = None
    genres: list[str] | None = None
    cast: list[str] | None = None
    directors: list[str] | None = None
    description: str | None = None
    votes: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None

    @property
    def movie_id(self) -> str:
        """The id that this entry gets in every import."""
        return movie_id_of(f"announced:{self.id}")

    @property
    def people(self) -> tuple[str, ...]:
        """Directors, then cast, each name once."""
        return tuple(dict.fromkeys([*(self.directors or []), *(self.cast or [])]))


MAX_LINE_BYTES = 100_000
"""A title's document travels through the event log, which bounds the size of a record."""

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnnouncedTitle)


def read_announced(line: bytes, *, number: int) -> AnnouncedTitle:
    """The title of one line of JSON; `number` is the line's number.

    Raises `InputInvalid` with the line and the field.
    """
    if len(line) > MAX_LINE_BYTES:
        raise InputInvalid(
            f"Line {number} has {len(line)} bytes, and {MAX_LINE_BYTES} is the maximum: shorten its texts.",
            field=f"line {number}",
        )
    try:
        title: AnnouncedTitle = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(f"Line {number} is not a catalogue title: {error}.", field=f"line {number}") from error
    if not title.title.strip():
        raise InputInvalid(f"Line {number} has an empty title: give it one.", field=f"line {number}.title")
    texts = (title.title, title.description or "", *(title.aka or ()), *(title.genres or ()), *title.people)
    if any("\x00" in text for text in texts):
        raise InputInvalid(
            f"Line {number} has a NUL character, which no store can keep: remove it.", field=f"line {number}"
        )
    return title
