"""The final order of the candidates: how well a title really matches what was typed. Pure, and the same for both engines.

Each typed word is matched with the most similar word of a name (1 - edit distance / length of the longer word; the last typed
word also as a beginning), else with people, genres or the description. A name's score adds two shares: how much of the query it
answers, weighted by how rare the words are, and how much of the name was typed. An exact whole name gets a bonus; popularity
adds a little. The constants were set by judgement, not fitted to data. bench/search_quality measures the results.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.text import joined_pairs, name_key, stem, words

QUERY_SHARE = 1.0
NAME_SHARE = 0.35
EXACT_TITLE_BONUS = 0.25
EXACT_ALIAS_BONUS = 0.22
IN_ORDER_BONUS = 0.08
FIRST_WORD_BONUS = 0.04
PER_POPULARITY = 0.022
"""For each unit of popularity, which is ln(1 + votes): 0.25 more for 100,000 votes than for none."""
PEOPLE, GENRE, DESCRIPTION = 0.75, 0.55, 0.45
BEGINNING = 0.85
MIN_SIMILARITY = 0.6
"""A less similar word is taken as another word."""


class Prepared(msgspec.Struct, frozen=True, array_like=True):
    """A title's words, stored with it in the index: making them for each query would take longer than ranking."""

    names: list[list[str]]
    """The words of the title first, then of each alternative title."""
    has_title: bool
    """Whether the first of `names` is the title. False if the title has no words."""
    people: list[str]
    genres: list[str]
    description_words: list[str]
    popularity: float


def prepare(document: SearchDocument) -> Prepared:
    """The words of a title for `scores`."""
    title = words(document.title)
    aliases = [list(found) for name in document.aka if (found := words(name))]
    return Prepared(
        names=[list(title), *aliases] if title else aliases,
        has_title=bool(title),
        people=list(dict.fromkeys(word for person in document.people for word in words(person))),
        genres=list(dict.fromkeys(stem(word) for genre in document.genres for word in words(genre))),
        description_words=list(dict.fromkeys(stem(word) for word in words(document.description or ""))),
        popularity=document.popularity,
    )


class TypedQuery:
    """A query and, for each of its words, the similar words of all candidates.

    All words of all candidates are compared in one call: comparing them word by word would take three times as long.
    """

    def __init__(self, words: tuple[str, ...], weights: Sequence[float], candidates: Iterable[Prepared]) -> None:
        self.words = words
        self.weights = weights
        self.total = sum(weights)
        self.pairs = joined_pairs(words)
        self.name_key = name_key(words)
        others = {word for title in candidates for name in (*title.names, title.people) for word in name}
        self.similar = [_similar_words(word, others, last=place == len(words) - 1) for place, word in enumerate(words)]
        """For each typed word: word of a candidate -> similarity from 0 to 1."""


def _similar_words(word: str, others: Collection[str], *, last: bool) -> dict[str, float]:
    """The similar words among `others`, with their similarity. `last`: they may also begin with the typed word."""
    length = len(word)
    found: dict[str, float] = {}

    def keep_best(other: str, value: float) -> None:
        if value > found.get(other, 0.0):
            found[other] = value

    if length > 2:
        for other, distance, _ in extract(
            word, others, scorer=OSA.distance, processor=None, limit=None, score_cutoff=1 if length <= 5 else 2
        ):
            longer = max(length, len(other))
            # Misspellings seldom change the first letter.
            keep_best(other, 1.0 - distance / longer - (0.08 if word[0] != other[0] else 0.0))
    if last:
        for other in others:
            if other.startswith(word):
                keep_best(other, BEGINNING + (1 - BEGINNING) * length / len(other))
        if length >= 5:
            for end in (length, length + 1):
                by_beginning = defaultdict(list)
                for other in others:
                    if len(other) > length:
                        by_beginning[other[:end]].append(other)
                for beginning, distance, _ in extract(
                    word, by_beginning.keys(), scorer=OSA.distance, processor=None, limit=None, score_cutoff=1
                ):
                    for other in by_beginning[beginning]:
                        if not other.startswith(word):
                            keep_best(other, BEGINNING * (1.0 - distance / length))
    close = {
        other: value
        for other, value in found.items()
        if value >= MIN_SIMILARITY or value >= 1 - 1 / max(length, len(other)) - 0.08
    }
    return {**close, word: 1.0}


def scores(words: tuple[str, ...], weights: Sequence[float], titles: Sequence[Prepared]) -> list[float]:
    """How well each title matches the query's words; larger is better. Depends only on the query and the title."""
    typed = TypedQuery(words, weights, titles)
    return [_score(typed, title) for title in titles]


def _score(typed: TypedQuery, title: Prepared) -> float:
    elsewhere = _scores_of_other_fields(typed, title)
    best = 0.0
    for place, listed in enumerate(title.names):
        name = tuple(listed)
        value = _name_score(typed, name, elsewhere)
        if name_key(name) == typed.name_key:
            value += EXACT_TITLE_BONUS if place == 0 and title.has_title else EXACT_ALIAS_BONUS
        best = max(best, value)
    return best + PER_POPULARITY * min(max(title.popularity, 0.0), 20.0)


def _name_score(typed: TypedQuery, name: tuple[str, ...], elsewhere: Sequence[float]) -> float:
    """The score of one name; `elsewhere` is what other fields give to each typed word."""
    pairs = joined_pairs(name)
    matched_weight = 0.0
    typed_similarity: dict[int, float] = {}
    places: list[int] = []
    for place, weight in enumerate(typed.weights):
        similarity, at = 0.0, -1
        for index, word in enumerate(name):
            value = typed.similar[place].get(word, 0.0)
            if value > similarity and typed_similarity.get(index, 0.0) < value:
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
                typed_similarity[index] = max(typed_similarity.get(index, 0.0), similarity)
        matched_weight += weight * max(similarity, elsewhere[place])
    name_share = sum(similarity * len(name[index]) for index, similarity in typed_similarity.items()) / sum(
        map(len, name)
    )
    value = QUERY_SHARE * matched_weight / typed.total + NAME_SHARE * name_share
    if places and places[0] == 0:
        value += FIRST_WORD_BONUS
    if len(places) > 1 and all(a < b for a, b in pairwise(places)):
        value += IN_ORDER_BONUS
    return value


def _scores_of_other_fields(typed: TypedQuery, title: Prepared) -> list[float]:
    """For each typed word, how well people, genres or the description match it; 0 if a name contains the word."""
    values = []
    for place, word in enumerate(typed.words):
        value = 0.0
        if any(word in name for name in title.names):
            pass
        elif word in title.people:
            value = PEOPLE
        elif (singular := stem(word)) in title.genres:
            value = GENRE
        elif singular in title.description_words:
            value = DESCRIPTION
        elif len(word) >= 4 and not _is_named(typed, place, title):
            value = PEOPLE * _most_similar(typed.similar[place], title.people)
        values.append(value)
    return values


def _is_named(typed: TypedQuery, place: int, title: Prepared) -> bool:
    """Whether a name matches a word at least as well as any person could."""
    return any(_most_similar(typed.similar[place], name) >= PEOPLE for name in title.names)


def _most_similar(similar: Mapping[str, float], words: Sequence[str]) -> float:
    if similar.keys().isdisjoint(words):
        return 0.0
    return max(similar.get(word, 0.0) for word in words)
