"""Which titles a query may mean, as clauses that do not depend on the engine. Each engine's query module translates them.

The score of a typed word is its best matching clause times the word's weight. A title's candidate score is the sum over the
words, plus `WHOLE_NAME` if the whole name was typed exactly, times the title's prior. Every clause has a constant score. So a
title's score depends only on the title and the query, not on the rest of the index, and pages stay valid while the index
changes. `ranking` then orders the best candidates by how well they really match.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from marquee.stores.search.relevance.text import joined_pairs, name_key, query_words, stem

# Multiples of 1/64, and weights are multiples of 1/2: so their sums are exact, in any order of addition.
EXACT, JOINED, PREFIX, FUZZY_1, FUZZY_PREFIX, FUZZY_2 = 1.0, 61 / 64, 51 / 64, 48 / 64, 38 / 64, 35 / 64
PEOPLE, PEOPLE_FUZZY, GENRE, DESCRIPTION = 51 / 64, 38 / 64, 38 / 64, 29 / 64
WHOLE_NAME = 38 / 64
"""Times the sum of the words' weights: added if the whole name was typed exactly."""
MIN_WEIGHT, MAX_WEIGHT, UNKNOWN_WEIGHT = 1.0, 8.0, 6.0
COMMON_WEIGHT = 3.0
"""The weight of a word that one title in twenty has; a word of less weight is common."""

Match = Literal["exact", "beginning", "similar", "similar beginning"]


@dataclass(frozen=True)
class Clause:
    """One way to match a typed word with a field (see `fields`). `edits`: the edit distance that a similar word may have."""

    field: str
    match: Match
    value: str
    score: float
    edits: int = 0


@dataclass(frozen=True)
class WordClauses:
    """A typed word: its clauses and its weight."""

    clauses: Sequence[Clause]
    """Only the best clause that matches counts."""
    weight: float


@dataclass(frozen=True)
class CandidateClauses:
    """What a title must match to be a candidate."""

    words: Sequence[WordClauses]
    needed: int
    """How many of the words must match."""
    whole_name: Clause


def candidate_clauses(query: str, weights: Sequence[float]) -> CandidateClauses | None:
    """The clauses of a query; None if it has no words. `weights`: one for each word of `text.query_words`."""
    typed = query_words(query)
    if not typed:
        return None
    pairs = joined_pairs(typed)
    found = []
    for index, (word, weight) in enumerate(zip(typed, weights, strict=True)):
        neighbours = [*pairs[max(0, index - 1) : index], *pairs[index : index + 1]]
        last = index == len(typed) - 1
        common = weight < COMMON_WEIGHT
        found.append(WordClauses(_clauses(word, joined=neighbours, last=last, common=common), weight))
    needed = len(typed) if len(typed) <= 2 else math.floor(0.75 * len(typed))
    # Of two words one may miss: it may be meant for another field, or the name may have both joined.
    needed = max(1, needed - (1 if len(typed) == 2 else 0))
    return CandidateClauses(found, needed, Clause("whole", "exact", name_key(typed), WHOLE_NAME * sum(weights)))


def _clauses(word: str, *, joined: Sequence[str], last: bool, common: bool) -> list[Clause]:
    """The clauses of one typed word in every field.

    `joined`: the word joined with a neighbour. `last`: the viewer may still be typing it, so it also matches as a beginning.
    `common`: a word such as "the". It is taken as spelled right, and not searched in descriptions, where half of all titles
    have it.
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
    """The edit distance that still matches: 0 for up to two letters, 1 for up to five, else 2."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2


def completions(prefix: str) -> list[Clause]:
    """Clauses that a name must all match to complete what was typed: every word, and the last one as a beginning."""
    typed = query_words(prefix)
    if not typed:
        return []
    *before, last = typed
    return [*(Clause("names", "exact", word, 1.0) for word in before), Clause("names", "beginning", last, 1.0)]


def word_weight(having: int, total: int) -> float:
    """The weight of a word: ln(1 + total / having), rounded to 1/2, from MIN_WEIGHT to MAX_WEIGHT. No titles: UNKNOWN_WEIGHT.

    A rare word tells more about what is meant. Rounded, so that a change of the index seldom changes a weight.
    """
    rarity = math.log(1 + total / having) if having else UNKNOWN_WEIGHT
    return min(MAX_WEIGHT, max(MIN_WEIGHT, round(rarity * 2) / 2))
