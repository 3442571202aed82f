"""The indexed fields of a title, for both engines: the words of each field, made by `text`.

`names` has the words of the title and the alternative titles together. `joined` has each two neighbouring words of a name
written as one, `whole` each name as one key. The words are final: an engine matches them as they are and analyses nothing.
`prior` multiplies a candidate's score, and grows mildly with popularity.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.text import joined_pairs, name_key, stem, words

PRIOR_PER_POPULARITY = 0.045
"""A title with 100,000 votes (popularity 11.5) has a prior of 1.4; a title without votes has 1."""
PRIOR_SPREAD = 1e-3
"""The id adds up to this to the exponent of the prior, so that few candidates have equal scores at a page's end."""
ORDER_BYTES = 6
MAX_ORDER = 2 ** (8 * ORDER_BYTES)
MAX_WHOLE_CHARACTERS = 500
"""A longer name has no key: queries are shorter."""


@dataclass(frozen=True)
class Fields:
    """The fields of one title. Each list has every entry once."""

    names: list[str]
    joined: list[str]
    whole: list[str]
    people: list[str]
    genre_words: list[str]
    description: list[str]
    genre_keys: list[str]
    """Each genre without case, for filters."""
    prior: float
    """At least 1."""
    order: int
    """Decides between equal scores: a hash of the id below `MAX_ORDER`, the same in every process and engine."""


def fields_of(document: SearchDocument) -> Fields:
    """The indexed fields of a title."""
    names = [found for name in (document.title, *document.aka) if (found := words(name))]
    return Fields(
        names=_without_duplicates(word for name in names for word in name),
        joined=_without_duplicates(pair for name in names for pair in joined_pairs(name)),
        whole=_without_duplicates(key for name in names if len(key := name_key(name)) <= MAX_WHOLE_CHARACTERS),
        people=_without_duplicates(word for person in document.people for word in words(person)),
        genre_words=_without_duplicates(stem(word) for genre in document.genres for word in words(genre)),
        description=_without_duplicates(stem(word) for word in words(document.description or "")),
        genre_keys=_without_duplicates(genre_key(genre) for genre in document.genres),
        prior=prior(document.popularity, document.movie_id),
        order=order_key(document.movie_id),
    )


def _without_duplicates(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def genre_key(genre: str) -> str:
    """A genre without case, as filters compare it."""
    return storable(genre.casefold())


def order_key(movie_id: str) -> int:
    """BLAKE2b of the id, as a number of `ORDER_BYTES` bytes."""
    digest = hashlib.blake2b(movie_id.encode("utf-8", "replace"), digest_size=ORDER_BYTES).digest()
    return int.from_bytes(digest, "big")


def prior(popularity: float, movie_id: str) -> float:
    """2 ** (PRIOR_PER_POPULARITY * popularity + PRIOR_SPREAD * order_key / MAX_ORDER), with popularity from 0 to 20."""
    bounded = min(max(popularity, 0.0), 20.0) if math.isfinite(popularity) else 0.0
    return float(2.0 ** (PRIOR_PER_POPULARITY * bounded + PRIOR_SPREAD * order_key(movie_id) / MAX_ORDER))


def storable(value: str) -> str:
    """The text without lone surrogates, which the engines cannot store."""
    return value.encode("utf-8", "ignore").decode()
