"""More like a title by what it is: its people, genres, words and years. For every title, watched or not.

Each title is a sparse vector of features, weighted by how rare a feature is (inverse document frequency, Spärck Jones 1972). Two
titles are compared by the cosine, times how well known the other one is. Not all pairs are: of each feature only the `POSTINGS`
best known shown titles are looked at, which gives some hundred candidates, and the best of those are compared in full. So time
and memory grow with the number of titles: 156,097 titles take 40 s of one core and 0.5 GB. Only shown titles (playable ones) are
found, for all titles.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from marquee.stores.analytics.library import LibraryTitle
from marquee.stores.search.relevance.text import words

SIMILAR: Final = 20
"""Similar titles of a title."""
POSTINGS: Final = 200
"""Titles of a feature that are looked at. The product of a block has at most FEATURES x POSTINGS entries a title."""
CANDIDATES: Final = 100
"""Titles that are compared in full."""
BLOCK: Final = 1000
"""Titles at a time: 1000 x 5,000 entries of 12 bytes are 60 MB."""
PEOPLE: Final = 6
WORDS: Final = 12
MAX_SHARE: Final = 0.05
"""A word in more titles than this says nothing."""
WEIGHTS: Final = {"person": 1.0, "genre": 1.0, "word": 0.4, "years": 0.5, "kind": 0.8}
KNOWN_WEIGHT: Final = 0.4
"""How much of a score depends on how well known the other title is: of two that are as alike, the better known one."""
MIN_SCORE: Final = 0.02


def features(title: LibraryTitle) -> list[tuple[str, str]]:
    """(kind, value) of everything that a title may share with another; words are not chosen yet."""
    # Who wrote and played stands in some catalogues twice.
    people = dict.fromkeys(person.casefold() for person in title.people)
    found = [("person", person) for person in list(people)[:PEOPLE]]
    found += [("genre", genre) for genre in title.genres]
    found += [
        ("word", word) for word in dict.fromkeys(words(f"{title.title} {title.description or ''}")) if len(word) > 2
    ]
    if title.year:
        decade = title.year // 10
        found.append(("years", str(decade)))
        found += [("kind", f"{genre} {decade}") for genre in title.genres]
    return found


def matrix(titles: Sequence[LibraryTitle]) -> Any:
    """One row a title, one column a feature (a `scipy.sparse.csr_matrix`). A row has length 1, or is all zero."""
    from scipy.sparse import csr_matrix

    counts: Counter[tuple[str, str]] = Counter()
    for title in titles:
        counts.update(features(title))
    most = max(20.0, MAX_SHARE * len(titles))
    columns: dict[tuple[str, str], int] = {}
    starts, indices, values = [0], list[int](), list[float]()
    for title in titles:
        shared = [each for each in features(title) if counts[each] > 1]
        by_rarity = sorted((each for each in shared if each[0] == "word"), key=lambda each: (counts[each], each[1]))
        chosen = [each for each in shared if each[0] != "word"] + [each for each in by_rarity if counts[each] <= most][
            :WORDS
        ]
        weights = [WEIGHTS[each[0]] * math.log(1 + len(titles) / counts[each]) for each in chosen]
        length = math.sqrt(sum(weight * weight for weight in weights)) or 1.0
        indices += [columns.setdefault(each, len(columns)) for each in chosen]
        values += [weight / length for weight in weights]
        starts.append(len(indices))
    shape = (len(titles), max(1, len(columns)))
    return csr_matrix((np.array(values, np.float32), np.array(indices, np.int32), np.array(starts, np.int64)), shape)


def similar_by_content(titles: Sequence[LibraryTitle]) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    """(row of a title, [(row of a similar shown title, score), ...]), the best first; for titles that have any.

    `titles` are ordered by how well known they are.
    """
    every = matrix(titles)
    shown = np.array([number for number, title in enumerate(titles) if title.is_playable], np.int64)
    if not len(shown):
        return
    of_shown = every[shown]
    postings = _best_known(of_shown).T.tocsr()
    known = np.log1p([max(0.0, titles[number].popularity) for number in shown])
    known = 1 - KNOWN_WEIGHT + KNOWN_WEIGHT * known / (known.max() or 1.0)
    for first in range(0, len(titles), BLOCK):
        block = every[first : first + BLOCK]
        sources, found = _candidates(block @ postings, known, shown, first)
        scores = np.asarray(block[sources].multiply(of_shown[found]).sum(axis=1)).ravel() * known[found]
        order = np.lexsort((found, -np.round(scores, 6), sources))
        sources, found, scores = sources[order], shown[found[order]], scores[order]
        begins = np.searchsorted(sources, np.arange(block.shape[0] + 1))
        for row in range(block.shape[0]):
            part = slice(begins[row], min(begins[row + 1], begins[row] + SIMILAR))
            near = [
                (int(other), round(float(score), 6))
                for other, score in zip(found[part], scores[part], strict=True)
                if score >= MIN_SCORE
            ]
            if near:
                yield first + row, near


def _best_known(of_shown: Any) -> Any:
    """The same matrix with at most `POSTINGS` titles a feature: the first ones, which are the best known."""
    from scipy.sparse import csc_matrix

    by_feature = of_shown.tocsc()
    by_feature.sort_indices()
    lengths = np.minimum(np.diff(by_feature.indptr), POSTINGS)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    kept = np.repeat(by_feature.indptr[:-1] - starts[:-1], lengths) + np.arange(starts[-1])
    return csc_matrix((by_feature.data[kept], by_feature.indices[kept], starts), by_feature.shape)


def _candidates(products: Any, known: Any, shown: Any, first: int) -> tuple[Any, Any]:
    """(row in the block, column) of the best `CANDIDATES` of each row; never the title itself."""
    sources, found = [], []
    for row in range(products.shape[0]):
        part = slice(products.indptr[row], products.indptr[row + 1])
        columns = products.indices[part]
        scores = products.data[part] * known[columns]
        if len(columns) > CANDIDATES + 1:
            columns = columns[np.argpartition(-scores, CANDIDATES)[: CANDIDATES + 1]]
        columns = columns[shown[columns] != first + row]
        sources.append(np.full(len(columns), row))
        found.append(columns)
    return np.concatenate(sources).astype(np.int64), np.concatenate(found).astype(np.int64)
