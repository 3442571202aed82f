"""One ffmpeg filter as typed data, and a chain of them as the text that is part of a chunk's identity. Pure.

`render` writes a chain as text and `parse` reads it back. `{start}` and `{end}` in the text stand for the chunk's frames:
`chunk_chain` fills them in. `apply` puts a chain on an ffmpeg-python stream. `filters` and `fitting` make the chains.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_COMMA: Final = re.compile(r"(?<!\\),")
"""A comma between two filters. A comma within a value has a backslash before it."""


class Filter(NamedTuple):
    """One ffmpeg filter. Values hold no colon, equals sign or backslash, so that `parse` can read the text back."""

    name: str
    options: dict[str, str]

    def __str__(self) -> str:
        options = ":".join(f"{key}={_escaped(value)}" for key, value in self.options.items())
        return f"{self.name}={options}" if options else self.name


def render(chain: Sequence[Filter]) -> str:
    """The chain as ffmpeg's filter text."""
    return ",".join(str(one) for one in chain)


def parse(text: str) -> list[Filter]:
    """The chain that `render` wrote."""
    found = []
    for escaped in _COMMA.split(text):
        one = escaped.replace("\\,", ",")
        name, _, options = one.partition("=")
        found.append(Filter(name, dict(pair.split("=", 1) for pair in options.split(":")) if options else {}))
    return found


def apply(stream: Any, chain: Sequence[Filter]) -> Any:
    """Append a chain to an ffmpeg-python stream."""
    for one in chain:
        stream = stream.filter(one.name, **one.options)
    return stream


def chunk_chain(filters: str, start_frame: int, frames: int) -> list[Filter]:
    """`EncodingSettings.filters` for the output frames `start_frame` to `start_frame + frames`, the last one excluded."""
    return parse(filters.replace("{start}", str(start_frame)).replace("{end}", str(start_frame + frames)))


def _escaped(value: str) -> str:
    return value.replace(",", "\\,")
