"""Where a page of search results ends and the next one begins, for both engines.

The best RANKED_CANDIDATES candidates of a query, those whose candidate score reaches a threshold, are ordered by `ranking`. The
others follow by their candidate scores. A position contains what decided this order (the words' weights and the threshold) and
the place of the page's last hit. The server stores nothing about it. So a position outlives restarts, and pages neither repeat
nor skip a title while the index changes.
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

RANKED_CANDIDATES = 100
"""How many candidates `ranking` orders word by word; the others are ordered by their candidate score."""
EXTRA_CANDIDATES = 32
"""How many more candidates are fetched with them, in case several have exactly the threshold's score."""
MAX_DEPTH = 5000
"""How many hits of a query can be paged through."""
MAX_LIMIT = 200
"""Maximum hits of a page."""
MAX_SCORE = 1e6


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: what decided the order of the query's hits, and the last hit's place in it.

    `ranked`: whether `ranking` ordered the last hit. `score` and `order`: the last hit's. `seen`: hits of all pages so far.
    """

    weights: list[float]
    threshold: Annotated[float, msgspec.Meta(ge=0, le=MAX_SCORE)]
    ranked: bool
    score: Annotated[float, msgspec.Meta(ge=0, le=MAX_SCORE)]
    order: Annotated[int, msgspec.Meta(ge=0, lt=MAX_ORDER)]
    seen: Annotated[int, msgspec.Meta(ge=0, le=MAX_DEPTH)]

    @property
    def place(self) -> tuple[float, int]:
        """(negated score, order) of the last hit: hits with a larger pair are on the next page."""
        return -self.score, self.order


@dataclass(frozen=True)
class Placed:
    """A hit and its place: hits that `ranking` ordered come first, and `order` decides between equal scores."""

    hit: SearchHit
    ranked: bool
    order: int


def page_of(
    found: Sequence[Placed], limit: int, *, weights: Sequence[float], threshold: float, seen: int
) -> SearchPage:
    """A page of the first `limit` hits. `found` has one hit more than `limit` if there is a next page."""
    page = found[:limit]
    hits = [placed.hit for placed in page]
    if len(found) <= limit or seen + limit >= MAX_DEPTH:
        return SearchPage(hits, None)
    last = page[-1]
    following = Position(list(weights), threshold, last.ranked, last.hit.score, last.order, seen + limit)
    return SearchPage(hits, write_position(following))


def write_position(position: Position) -> str:
    """As base64 of JSON, for `SearchPage.next_position`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def read_position(position: str, *, words_typed: int) -> Position:
    """Decode a position. Raises `CursorInvalid` for a forged one, or one of a query with another number of words."""
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(position + "=" * (-len(position) % 4)), type=Position)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid(
            "The position was not issued by this search; begin without a position.", field="position"
        ) from error
    if len(decoded.weights) != words_typed or not all(map(math.isfinite, decoded.weights)):
        raise CursorInvalid("The position belongs to another query; begin without a position.", field="position")
    return decoded


def suggestions(typed: Sequence[str], titles: Sequence[str], limit: int) -> list[str]:
    """At most `limit` of the titles, each once: those that begin with the typed words, then the others."""
    beginning = " ".join(typed)
    starting: dict[str, None] = {}
    containing: dict[str, None] = {}
    for title in titles:
        (starting if " ".join(words(title)).startswith(beginning) else containing).setdefault(title)
    return list({**starting, **containing})[:limit]
