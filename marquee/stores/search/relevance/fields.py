"""What a title is inside an index, the same for every engine: the words of each field, made by `text`.

`names` holds the words of title and alternative titles together (a sparse field of its own would have a meaningless mean
length), `joined` their neighbouring words written as one, `whole` each name as one key. Words are ready: an engine matches
them as they are, and analyses nothing. `prior` multiplies a candidate's score: popularity, mildly.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.text import joined_pairs, stem, whole, words

PRIOR_PER_POPULARITY = 0.045
"""A title of 100,000 votes (popularity 11.5) counts 1.4 times one of none among candidates."""
PRIOR_SPREAD = 1e-3
"""By id, so that few candidates have quite equal scores and a page boundary seldom falls among equals."""
ORDER_BYTES = 6
MAX_ORDER = 2 ** (8 * ORDER_BYTES)
MAX_WHOLE_CHARACTERS = 500
"""Characters of a name as one key: no query has more."""


@dataclass(frozen=True)
class Fields:
    names: list[str]
    joined: list[str]
    whole: list[str]
    people: list[str]
    genre_words: list[str]
    description: list[str]
    genre_keys: list[str]
    """Each genre, for a filter that compares without case."""
    prior: float
    """1 and more."""
    order: int
    """Orders equal scores, the same in every process and engine; below `MAX_ORDER`."""


def fields_of(document: SearchDocument) -> Fields:
    names = [found for name in (document.title, *document.aka) if (found := words(name))]
    return Fields(
        names=_unique(word for name in names for word in name),
        joined=_unique(pair for name in names for pair in joined_pairs(name)),
        whole=_unique(key for name in names if len(key := whole(name)) <= MAX_WHOLE_CHARACTERS),
        people=_unique(word for person in document.people for word in words(person)),
        genre_words=_unique(stem(word) for genre in document.genres for word in words(genre)),
        description=_unique(stem(word) for word in words(document.description or "")),
        genre_keys=_unique(genre_key(genre) for genre in document.genres),
        prior=prior(document.popularity, document.movie_id),
        order=order_key(document.movie_id),
    )


def _unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def genre_key(genre: str) -> str:
    return storable(genre.casefold())


def order_key(movie_id: str) -> int:
    digest = hashlib.blake2b(movie_id.encode("utf-8", "replace"), digest_size=ORDER_BYTES).digest()
    return int.from_bytes(digest, "big")


def prior(popularity: float, movie_id: str) -> float:
    """2 to the power of the bounded popularity times `PRIOR_PER_POPULARITY`, and a very little by the id."""
    bounded = min(max(popularity, 0.0), 20.0) if math.isfinite(popularity) else 0.0
    return float(2.0 ** (PRIOR_PER_POPULARITY * bounded + PRIOR_SPREAD * order_key(movie_id) / MAX_ORDER))


def storable(value: str) -> str:
    """Without lone surrogates, which no index can hold."""
    return value.encode("utf-8", "ignore").decode()
