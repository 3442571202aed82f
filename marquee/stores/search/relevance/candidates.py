"""What a query looks for among the titles, the same for every engine; each engine's query module writes it in its own words.

A typed word is answered by its best clause, times the word's weight; the sum over the words, with something for a whole name
typed exactly, is multiplied by the title's prior. Every clause has a constant score, so that a title's score depends on the
title and the query alone, never on what else is in the index: pages hold while it changes. `ranking` then orders the best
candidates by how well they really match.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from marquee.stores.search.relevance.text import joined_pairs, query_words, stem, whole

# Multiples of 1/64, and weights of 1/2: their sums are the same in whichever order an engine adds them up.
EXACT, JOINED, PREFIX, FUZZY_1, FUZZY_PREFIX, FUZZY_2 = 1.0, 61 / 64, 51 / 64, 48 / 64, 38 / 64, 35 / 64
PEOPLE, PEOPLE_FUZZY, GENRE, DESCRIPTION = 51 / 64, 38 / 64, 38 / 64, 29 / 64
WHOLE_NAME = 38 / 64
"""Added to the sum of the words' weights where the whole name is what was typed."""
MIN_WEIGHT, MAX_WEIGHT, WEIGHT_UNKNOWN = 1.0, 8.0, 6.0
WEIGHT_COMMON = 3.0
"""Of a word that one title in twenty has."""

Match = Literal["exact", "beginning", "similar", "similar beginning"]


@dataclass(frozen=True)
class Clause:
    """One way in which a field (see `fields`) may answer a word; `edits` are allowed where it need only be similar."""

    field: str
    match: Match
    value: str
    score: float
    edits: int = 0


@dataclass(frozen=True)
class Word:
    clauses: Sequence[Clause]
    """The best one that matches counts."""
    weight: float


@dataclass(frozen=True)
class Wanted:
    words: Sequence[Word]
    needed: int
    """So many of the words must be answered."""
    whole_name: Clause


def wanted(query: str, weights: Sequence[float]) -> Wanted | None:
    """None where a query has no words. `weights`: one for each of `text.query_words`."""
    typed = query_words(query)
    if not typed:
        return None
    pairs = joined_pairs(typed)
    found = []
    for place, (word, weight) in enumerate(zip(typed, weights, strict=True)):
        neighbours = [*pairs[max(0, place - 1) : place], *pairs[place : place + 1]]
        last = place == len(typed) - 1
        common = weight < WEIGHT_COMMON
        found.append(Word(_clauses(word, joined=neighbours, last=last, common=common), weight))
    needed = len(typed) if len(typed) <= 2 else math.floor(0.75 * len(typed))
    # Two words need both unless one of them is meant for another field or was joined: then one may miss.
    needed = max(1, needed - (1 if len(typed) == 2 else 0))
    return Wanted(found, needed, Clause("whole", "exact", whole(typed), WHOLE_NAME * sum(weights)))


def _clauses(word: str, *, joined: Sequence[str], last: bool, common: bool) -> list[Clause]:
    """One typed word in every field; `last`: it may still be being typed. `joined`: it with a neighbour, as one word.

    A common word, such as "the", is spelled right, and says nothing in a description, where half of all titles have it.
    """
    found = [
        Clause("names", "exact", word, EXACT),
        Clause("joined", "exact", word, JOINED),
        Clause("people", "exact", word, PEOPLE),
        Clause("genre_words", "exact", stem(word), GENRE),
        *(Clause("names", "exact", pair, JOINED) for pair in joined),
    ]
    if not common:
        found.append(Clause("description", "exact", stem(word), DESCRIPTION))
    edits = 0 if common else edits_allowed(word)
    if edits >= 1:
        found.append(Clause("names", "similar", word, FUZZY_1, edits=1))
    if edits >= 2:
        found.append(Clause("names", "similar", word, FUZZY_2, edits=2))
    if len(word) >= 4 and not common:
        found.append(Clause("people", "similar", word, PEOPLE_FUZZY, edits=1))
    if last:
        found.append(Clause("names", "beginning", word, PREFIX))
        if len(word) >= 5 and not common:
            found.append(Clause("names", "similar beginning", word, FUZZY_PREFIX, edits=1))
    return found


def edits_allowed(word: str) -> int:
    """How many edits a word may be away: none for up to two letters, one for up to five, else two."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2


def completions(prefix: str) -> list[Clause]:
    """What a name must hold all of to complete a prefix: every word typed, the last one as a beginning."""
    typed = query_words(prefix)
    if not typed:
        return []
    *before, last = typed
    return [*(Clause("names", "exact", word, 1.0) for word in before), Clause("names", "beginning", last, 1.0)]


def word_weight(having: int, total: int) -> float:
    """How much a word tells, by how few of the titles have it; coarse, so that it seldom changes with the index."""
    rarity = math.log(1 + total / having) if having else WEIGHT_UNKNOWN
    return min(MAX_WEIGHT, max(MIN_WEIGHT, round(rarity * 2) / 2))
