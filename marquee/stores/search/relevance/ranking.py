"""The final order of candidates: how well a title really matches what was typed. Pure, and the same for every engine.

Each typed word is matched with the most similar word of a name (edit distance over the longer word's length; the last one
also as a beginning), else with people, genres or the description. The name's share is what part of the query it answers
(weighted by how rare the words are) and what part of itself is asked for; a whole name typed exactly comes first; popularity
is a mild prior. The constants were set by judgement and not fitted; bench/search_quality measures what they give.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.text import joined_pairs, stem, whole, words

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


class Typed:
    """A query ready for ranking: its words, their weights, and which words of the candidates are like them.

    All words of all candidates are compared at once: word by word it would cost three times as much.
    """

    def __init__(self, words: tuple[str, ...], weights: Sequence[float], candidates: Iterable[Prepared]) -> None:
        self.words = words
        self.weights = weights
        self.total = sum(weights)
        self.pairs = joined_pairs(words)
        self.whole = whole(words)
        others = {word for title in candidates for name in (*title.names, title.people) for word in name}
        self.similar = [_similar_words(word, others, last=place == len(words) - 1) for place, word in enumerate(words)]
        """For each place, the words that may be meant there: 0 to 1, how likely."""


def _similar_words(word: str, others: Collection[str], *, last: bool) -> dict[str, float]:
    length = len(word)
    found: dict[str, float] = {}

    def better(other: str, value: float) -> None:
        if value > found.get(other, 0.0):
            found[other] = value

    if length > 2:
        for other, distance, _ in extract(
            word, others, scorer=OSA.distance, processor=None, limit=None, score_cutoff=1 if length <= 5 else 2
        ):
            longer = max(length, len(other))
            # A wrong first letter is rare among misspellings.
            better(other, 1.0 - distance / longer - (0.08 if word[0] != other[0] else 0.0))
    if last:
        for other in others:
            if other.startswith(word):
                better(other, BEGINNING + (1 - BEGINNING) * length / len(other))
        if length >= 5:
            for end in (length, length + 1):
                begun = defaultdict(list)
                for other in others:
                    if len(other) > length:
                        begun[other[:end]].append(other)
                for beginning, distance, _ in extract(
                    word, begun.keys(), scorer=OSA.distance, processor=None, limit=None, score_cutoff=1
                ):
                    for other in begun[beginning]:
                        if not other.startswith(word):
                            better(other, BEGINNING * (1.0 - distance / length))
    close = {
        other: value
        for other, value in found.items()
        if value >= CLOSE_ENOUGH or value >= 1 - 1 / max(length, len(other)) - 0.08
    }
    return {**close, word: 1.0}


def scores(words: tuple[str, ...], weights: Sequence[float], titles: Sequence[Prepared]) -> list[float]:
    """How well each title matches a query's words; larger is better. Depends on the query and the title alone."""
    typed = Typed(words, weights, titles)
    return [_score(typed, title) for title in titles]


def _score(typed: Typed, title: Prepared) -> float:
    elsewhere = _elsewhere(typed, title)
    best = 0.0
    for place, listed in enumerate(title.names):
        name = tuple(listed)
        value = _name_score(typed, name, elsewhere)
        if whole(name) == typed.whole:
            value += EXACT_NAME if place == 0 and title.titled else EXACT_ALIAS
        best = max(best, value)
    return best + PRIOR * min(max(title.popularity, 0.0), 20.0)


def _name_score(typed: Typed, name: tuple[str, ...], elsewhere: Sequence[float]) -> float:
    pairs = joined_pairs(name)
    answered = 0.0
    asked: dict[int, float] = {}
    places: list[int] = []
    for place, weight in enumerate(typed.weights):
        similarity, at = 0.0, -1
        for index, word in enumerate(name):
            value = typed.similar[place].get(word, 0.0)
            if value > similarity and asked.get(index, 0.0) < value:
                similarity, at = value, index
        taken = [at]
        if similarity < 0.95:
            word = typed.words[place]
            for index, pair in enumerate(pairs):  # "spiderman" for "spider man"
                if pair == word:
                    similarity, taken = 0.95, [index, index + 1]
            for neighbour in (place - 1, place):  # "war games" for "wargames"
                if 0 <= neighbour < len(typed.pairs) and typed.pairs[neighbour] in name:
                    similarity, taken = 0.95, [name.index(typed.pairs[neighbour])]
        if similarity >= elsewhere[place] and taken[0] >= 0:
            places.append(taken[0])
            for index in taken:
                asked[index] = max(asked.get(index, 0.0), similarity)
        answered += weight * max(similarity, elsewhere[place])
    named = sum(similarity * len(name[index]) for index, similarity in asked.items()) / sum(map(len, name))
    value = QUERY_SHARE * answered / typed.total + NAME_SHARE * named
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
            value = PEOPLE * _most_similar(typed.similar[place], title.people)
        values.append(value)
    return values


def _is_named(typed: Typed, place: int, title: Prepared) -> bool:
    """Whether a name answers a word so well that no person can answer it better."""
    return any(_most_similar(typed.similar[place], name) >= PEOPLE for name in title.names)


def _most_similar(similar: Mapping[str, float], words: Sequence[str]) -> float:
    if similar.keys().isdisjoint(words):
        return 0.0
    return max(similar.get(word, 0.0) for word in words)
