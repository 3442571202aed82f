"""One ffmpeg filter as typed data, and a chain of them as the text that is part of a chunk's identity. Pure.

`render` writes a chain as text and `parse` reads it back. `{start}` and `{end}` in the text stand for the chunk's frames:
`chunk_chain` fills them in. `apply` puts a chain on an ffmpeg-python stream. `filters` and `fitting` make the chains.
A chain may hold two ways for a picture (`choice`). They are written as three marks in the one text: `either`, `or`, `where`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import ffmpeg

_COMMA: Final = re.compile(r"(?<!\\),")
"""A comma between two filters. A comma within a value has a backslash before it."""


_EITHER: Final = "either"
_OR: Final = "or"
_WHERE: Final = "where"


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


def choice(usual: Sequence[Filter], other: Sequence[Filter], when: str) -> list[Filter]:
    """Two chains for the same frames: `other`'s frame is taken `when` this expression of `n` and `t` is true, else `usual`'s.

    Both chains see every frame, and give the same size and pixel format.
    """
    return [Filter(_EITHER, {}), *usual, Filter(_OR, {}), *other, Filter(_WHERE, {"enable": when})]


def apply(stream: Any, chain: Sequence[Filter]) -> Any:
    """Append a chain to an ffmpeg-python stream."""
    waiting: list[Any] = []
    for one in chain:
        if one.name == _EITHER:
            both = stream.filter_multi_output("split")
            stream = both[0]
            waiting.append(both[1])
        elif one.name == _OR:
            stream, waiting[-1] = waiting[-1], stream
        elif one.name == _WHERE:
            # Without an opacity, the second picture replaces the first where the filter is enabled. Elsewhere the first passes.
            stream = ffmpeg.filter([waiting.pop(), stream], "blend", all_mode="normal", all_opacity=0, **one.options)
        else:
            stream = stream.filter(one.name, **one.options)
    return stream


def chunk_chain(filters: str, start_frame: int, frames: int) -> list[Filter]:
    """`EncodingSettings.filters` for the output frames `start_frame` to `start_frame + frames`, the last one excluded."""
    return parse(filters.replace("{start}", str(start_frame)).replace("{end}", str(start_frame + frames)))


def _escaped(value: str) -> str:
    return value.replace(",", "\\,")
