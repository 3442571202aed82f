"""Where a page of search results ends and the next one begins, the same for every engine.

The best `RANKED` candidates of a query, those whose candidate score reaches a threshold, are ordered by `ranking`; the others
follow in the order of their candidate scores. A position holds what decided that order (the words' weights, the threshold) and
the last hit's place in it. Nothing of it is kept anywhere, so a position outlives restarts, and pages neither repeat nor
skip a title while the index changes.
"""

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from marquee.errors import CursorInvalid
from marquee.stores.search.contract import SearchHit, SearchPage
from marquee.stores.search.relevance.fields import MAX_ORDER
from marquee.stores.search.relevance.text import words

RANKED = 100
"""How many candidates are ranked word by word; the others keep their candidate score."""
SPARE = 32
"""So many more are fetched at once, in case of equal scores at the threshold."""
MAX_DEPTH = 5000
"""Hits that can be paged through."""
MAX_LIMIT = 200
MAX_SCORE = 1e6


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended. `ranked`: whether its last hit was among the ranked ones."""

    weights: list[float]
    threshold: Annotated[float, msgspec.Meta(ge=0, le=MAX_SCORE)]
    ranked: bool
    score: Annotated[float, msgspec.Meta(ge=0, le=MAX_SCORE)]
    order: Annotated[int, msgspec.Meta(ge=0, lt=MAX_ORDER)]
    seen: Annotated[int, msgspec.Meta(ge=0, le=MAX_DEPTH)]

    @property
    def place(self) -> tuple[float, int]:
        """Of hits as (negated score, order), those after this one follow."""
        return -self.score, self.order


@dataclass(frozen=True)
class Placed:
    """A hit with its place: `ranked` ones come first, and `order` settles equal scores."""

    hit: SearchHit
    ranked: bool
    order: int


def page_of(
    found: Sequence[Placed], limit: int, *, weights: Sequence[float], threshold: float, seen: int
) -> SearchPage:
    """The page that these hits begin with; they are one more than the limit where there are more."""
    page = found[:limit]
    hits = [placed.hit for placed in page]
    if len(found) <= limit or seen + limit >= MAX_DEPTH:
        return SearchPage(hits, None)
    last = page[-1]
    following = Position(list(weights), threshold, last.ranked, last.hit.score, last.order, seen + limit)
    return SearchPage(hits, write_position(following))


def write_position(position: Position) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def read_position(position: str, *, words_typed: int) -> Position:
    """Raises `CursorInvalid` for what is not a position of a query with as many words."""
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(position + "=" * (-len(position) % 4)), type=Position)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid("The position was not issued by this search.", field="position") from error
    if len(decoded.weights) != words_typed or not all(map(math.isfinite, decoded.weights)):
        raise CursorInvalid("The position belongs to another query.", field="position")
    return decoded


def suggestions(typed: Sequence[str], titles: Sequence[str], limit: int) -> list[str]:
    """Of titles that hold what was typed, each once, those that begin with it first."""
    beginning = " ".join(typed)
    starting: dict[str, None] = {}
    containing: dict[str, None] = {}
    for title in titles:
        (starting if " ".join(words(title)).startswith(beginning) else containing).setdefault(title)
    return list({**starting, **containing})[:limit]
