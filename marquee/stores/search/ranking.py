"""The final order of candidates: how well a title really matches what was typed. Pure, and the same for every engine.

Each typed word is matched with the most similar word of a name (edit distance over the longer word's length; the last one
also as a beginning), else with people, genres or the description. The name's share is what part of the query it answers
(weighted by how rare the words are) and what part of itself is asked for; a whole name typed exactly comes first; popularity
is a mild prior. The constants were set by judgement and not fitted; bench/search_quality measures what they give.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
from rapidfuzz.distance import OSA

from marquee.documents import SearchDocument
from marquee.stores.search.text import joined_pairs, stem, whole, words

QUERY_SHARE = 1.0
NAME_SHARE = 0.35
EXACT_NAME = 0.25
EXACT_ALIAS = 0.22
IN_ORDER = 0.08
FIRST_WORD = 0.04
PRIOR = 0.022
"""Per unit of popularity (log1p of votes): 0.25 between none and 100,000 votes."""
PEOPLE, GENRE, DESCRIPTION = 0.75, 0.55, 0.45
BEGINNING = 0.85
CLOSE_ENOUGH = 0.6
"""A word less similar than this is another word."""


class Prepared(msgspec.Struct, frozen=True, array_like=True):
    """A title's words, made once when it is indexed: folding text at each query would cost more than ranking."""

    names: list[list[str]]
    """The title's first, then each alternative title's."""
    titled: bool
    """Whether the first name is the title's: one without words has none."""
    people: list[str]
    genres: list[str]
    described: list[str]
    popularity: float


def prepare(document: SearchDocument) -> Prepared:
    title = words(document.title)
    aliases = [list(found) for name in document.aka if (found := words(name))]
    return Prepared(
        names=[list(title), *aliases] if title else aliases,
        titled=bool(title),
        people=list(dict.fromkeys(word for person in document.people for word in words(person))),
        genres=list(dict.fromkeys(stem(word) for genre in document.genres for word in words(genre))),
        described=list(dict.fromkeys(stem(word) for word in words(document.description or ""))),
        popularity=document.popularity,
    )


@dataclass
class Typed:
    """A query ready for ranking: its words, their weights, and what was compared already."""

    words: tuple[str, ...]
    weights: Sequence[float]
    compared: dict[tuple[str, str], float] = field(default_factory=dict)

    def similarity(self, place: int, other: str) -> float:
        """0 to 1: how likely a name's word is what was typed at a place."""
        word = self.words[place]
        if word == other:
            return 1.0
        last = place == len(self.words) - 1
        key = (word, other + " " if last else other)
        if key not in self.compared:
            self.compared[key] = _similarity(word, other, last=last)
        return self.compared[key]


def _similarity(word: str, other: str, *, last: bool) -> float:
    longer = max(len(word), len(other))
    best = 0.0
    if len(word) > 2 and abs(len(word) - len(other)) <= 2:
        distance = OSA.distance(word, other, score_cutoff=2)
        if distance <= (1 if len(word) <= 5 else 2):
            # A wrong first letter is rare among misspellings.
            best = 1.0 - distance / longer - (0.08 if word[0] != other[0] else 0.0)
    if last and other.startswith(word):
        best = max(best, BEGINNING + (1 - BEGINNING) * len(word) / len(other))
    elif last and len(word) >= 5 and len(other) > len(word):
        distance = min(OSA.distance(word, other[:end], score_cutoff=1) for end in (len(word), len(word) + 1))
        if distance <= 1:
            best = max(best, BEGINNING * (1.0 - distance / len(word)))
    return best if best >= CLOSE_ENOUGH or best >= 1 - 1 / longer - 0.08 else 0.0


def score(typed: Typed, title: Prepared) -> float:
    """How well a title matches; larger is better. Depends on the query and the title alone."""
    elsewhere = _elsewhere(typed, title)
    best = 0.0
    wanted = whole(typed.words)
    for place, listed in enumerate(title.names):
        name = tuple(listed)
        value = _name_score(typed, name, elsewhere)
        if whole(name) == wanted:
            value += EXACT_NAME if place == 0 and title.titled else EXACT_ALIAS
        best = max(best, value)
    return best + PRIOR * min(max(title.popularity, 0.0), 20.0)


def _name_score(typed: Typed, name: tuple[str, ...], elsewhere: Sequence[float]) -> float:
    pairs = joined_pairs(name)
    typed_pairs = joined_pairs(typed.words)
    total = sum(typed.weights)
    answered = 0.0
    asked: dict[int, float] = {}
    places: list[int] = []
    for place, weight in enumerate(typed.weights):
        similarity, at = 0.0, -1
        for index, word in enumerate(name):
            value = typed.similarity(place, word)
            if value > similarity and asked.get(index, 0.0) < value:
                similarity, at = value, index
        taken = [at]
        if similarity < 0.95:
            word = typed.words[place]
            for index, pair in enumerate(pairs):  # "spiderman" for "spider man"
                if pair == word:
                    similarity, taken = 0.95, [index, index + 1]
            for neighbour in (place - 1, place):  # "war games" for "wargames"
                if 0 <= neighbour < len(typed_pairs) and typed_pairs[neighbour] in name:
                    similarity, taken = 0.95, [name.index(typed_pairs[neighbour])]
        if similarity >= elsewhere[place] and taken[0] >= 0:
            places.append(taken[0])
            for index in taken:
                asked[index] = max(asked.get(index, 0.0), similarity)
        answered += weight * max(similarity, elsewhere[place])
    named = sum(similarity * len(name[index]) for index, similarity in asked.items()) / sum(map(len, name))
    value = QUERY_SHARE * answered / total + NAME_SHARE * named
    if places and places[0] == 0:
        value += FIRST_WORD
    if len(places) > 1 and all(a < b for a, b in pairwise(places)):
        value += IN_ORDER
    return value


def _elsewhere(typed: Typed, title: Prepared) -> list[float]:
    """For each typed word, how well people, genres or the description answer it; 0 where a name has the word itself."""
    values = []
    for place, word in enumerate(typed.words):
        value = 0.0
        if any(word in name for name in title.names):
            pass
        elif word in title.people:
            value = PEOPLE
        elif (singular := stem(word)) in title.genres:
            value = GENRE
        elif singular in title.described:
            value = DESCRIPTION
        elif len(word) >= 4 and not _is_named(typed, place, title):
            value = PEOPLE * max((typed.similarity(place, other) for other in title.people), default=0.0)
        values.append(value)
    return values


def _is_named(typed: Typed, place: int, title: Prepared) -> bool:
    """Whether a name answers a word so well that no person can answer it better."""
    return any(typed.similarity(place, other) >= PEOPLE for name in title.names for other in name)
