"""The final order of candidates: how well a title really matches what was typed. Pure, and the same for every engine.

Each typed word is matched with the most similar word of a name (edit distance over the longer word's length; the last one
also as a beginning), else with people, genres or the description. The name's share is what part of the query it answers
(weighted by how rare the words are) and what part of itself is asked for; a whole name typed exactly comes first; popularity
is a mild prior. The constants were fitted on half of the sample judgements and checked on the other (bench/search_quality).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

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
    if len(word) > 2:
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


def score(typed: Typed, document: SearchDocument) -> float:
    """How well a title matches; larger is better. Depends on the query and the document alone."""
    elsewhere = _elsewhere(typed, document)
    best = 0.0
    wanted = whole(typed.words)
    for place, name in enumerate((document.title, *document.aka)):
        found = words(name)
        if not found:
            continue
        value = _name_score(typed, found, elsewhere)
        if whole(found) == wanted:
            value += EXACT_NAME if place == 0 else EXACT_ALIAS
        best = max(best, value)
    return best + PRIOR * min(max(document.popularity, 0.0), 20.0)


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


def _elsewhere(typed: Typed, document: SearchDocument) -> list[float]:
    """For each typed word, how well people, genres or the description answer it."""
    people = {word for person in document.people for word in words(person)}
    genres = {stem(word) for genre in document.genres for word in words(genre)}
    described = {stem(word) for word in words(document.description or "")}
    values = []
    for place, word in enumerate(typed.words):
        value = 0.0
        if word in people:
            value = PEOPLE
        elif stem(word) in genres:
            value = GENRE
        elif stem(word) in described:
            value = DESCRIPTION
        elif len(word) >= 4:
            value = PEOPLE * max((typed.similarity(place, other) for other in people), default=0.0)
        values.append(value)
    return values
