"""What a profile may like: ALS on implicit watch shares, and "because you watched".

A share is the part of a title that a profile watched, 0 to 1. Spark's ALS factorises preference 1 with the confidence
1 + ALPHA x share for each title watched (Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets*, ICDE
2008). A profile's score of a title is the product of their factors. "Because you watched X" takes the profile's best titles by
that score and orders them by score x cosine to X. `PARAMETERS` are those that `jobs.spark.evaluate` has proved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PARAMETERS: Final[Mapping[str, float]] = {"rank": 32, "reg": 0.1, "alpha": 1.0, "iterations": 10, "seed": 20}
MIN_SHARE: Final = 0.05
"""Who left a film before this part of it did not watch it."""
BECAUSE_SHARE: Final = 0.3
BECAUSE_TITLES: Final = 3
"""The last titles of a profile, watched at least that far, that get a row each."""
BEST: Final = 200
"""Of a profile's titles by score: among these "because you watched" chooses."""
SUGGESTIONS: Final = 20
PROFILES_AT_A_TIME: Final = 256
"""256 profiles x 156,097 titles are 160 MB of scores."""
MIN_WATCHERS: Final = 3
SHRINKAGE: Final = 10.0
WATCHED_TITLES: Final = 200
"""Of a profile that count for similar titles, the last ones: one profile with everything would make every pair similar."""


@dataclass(frozen=True)
class Interactions:
    """Who watched what: three columns of one length, the profiles' and titles' numbers in the lists of their ids."""

    profiles: list[str]
    movies: list[str]
    profile: Any
    movie: Any
    share: Any
    at_ms: Any

    @classmethod
    def of(cls, rows: "DataFrame") -> "Interactions":
        """From a frame profile_id, movie_id, share, at_ms with one row a pair."""
        table = rows.orderBy("profile_id", "movie_id").toArrow()
        profile, movie = table["profile_id"].combine_chunks(), table["movie_id"].combine_chunks()
        profiles, movies = (sorted(set(each.to_pylist())) for each in (profile, movie))
        profile_of, movie_of = ({each: number for number, each in enumerate(ids)} for ids in (profiles, movies))
        return cls(
            profiles,
            movies,
            np.array([profile_of[each] for each in profile.to_pylist()], np.int32),
            np.array([movie_of[each] for each in movie.to_pylist()], np.int32),
            np.asarray(table["share"].to_numpy(), np.float32),
            np.asarray(table["at_ms"].to_numpy(), np.int64),
        )

    def matrix(self, values: Any = None) -> Any:
        """Profiles x titles, as a `scipy.sparse.csr_matrix`."""
        from scipy.sparse import csr_matrix

        kept = self.share if values is None else values
        return csr_matrix((kept, (self.profile, self.movie)), (len(self.profiles), len(self.movies)))


@dataclass(frozen=True)
class Factors:
    """A row of numbers for each profile and each title."""

    profiles: Any
    movies: Any

    def scores(self, first: int, count: int) -> Any:
        """How much these profiles may like each title."""
        return self.profiles[first : first + count] @ self.movies.T


def factorised(spark: Any, interactions: Interactions, parameters: Mapping[str, float] = PARAMETERS) -> Factors:
    """Spark's ALS. A profile or title that it cannot place has zeros."""
    import pyarrow as pa
    from pyspark.ml.recommendation import ALS

    frame = spark.createDataFrame(
        pa.table({"profile": interactions.profile, "movie": interactions.movie, "share": interactions.share})
    )
    als = ALS(
        rank=int(parameters["rank"]),
        regParam=parameters["reg"],
        alpha=parameters["alpha"],
        maxIter=int(parameters["iterations"]),
        seed=int(parameters["seed"]),
        implicitPrefs=True,
        userCol="profile",
        itemCol="movie",
        ratingCol="share",
    )
    model = als.fit(frame.coalesce(1))
    rank = int(parameters["rank"])
    return Factors(
        _rows(model.userFactors, len(interactions.profiles), rank),
        _rows(model.itemFactors, len(interactions.movies), rank),
    )


def _rows(factors: "DataFrame", count: int, rank: int) -> Any:
    table = factors.toArrow()
    rows = np.zeros((count, rank), np.float32)
    if table.num_rows:
        rows[table["id"].to_numpy()] = np.array(table["features"].to_pylist(), np.float32)
    return rows


def best_unwatched(factors: Factors, watched: Any, count: int) -> Iterator[tuple[int, Any, Any]]:
    """(profile, its best titles that it has not watched, their scores), the best first; equal scores by the title's number."""
    for first in range(0, watched.shape[0], PROFILES_AT_A_TIME):
        block = factors.scores(first, PROFILES_AT_A_TIME)
        for row in range(block.shape[0]):
            scores = block[row]
            scores[watched.indices[watched.indptr[first + row] : watched.indptr[first + row + 1]]] = -np.inf
            kept = np.argpartition(-scores, min(count, len(scores) - 1))[:count]
            kept = kept[np.isfinite(scores[kept])]
            order = np.lexsort((kept, -np.round(scores[kept], 6)))
            yield first + row, kept[order], scores[kept[order]]


def suggestions(
    interactions: Interactions, factors: Factors, shown: frozenset[str]
) -> Iterator[tuple[str, str, int, str, float]]:
    """Rows of the table `suggestion`: profile, the title because of which, rank, title, score. Only of shown titles."""
    watched = interactions.matrix()
    lengths = np.linalg.norm(factors.movies, axis=1, keepdims=True)
    directions = factors.movies / np.where(lengths > 0, lengths, 1)
    is_shown = np.array([movie in shown for movie in interactions.movies], bool)
    factors = Factors(factors.profiles, np.where(is_shown[:, None], factors.movies, 0))
    begins = np.searchsorted(interactions.profile, np.arange(len(interactions.profiles) + 1))
    for profile, best, scores in best_unwatched(factors, watched, BEST):
        # Two negative numbers would make a good one: what the profile would not like is left out first.
        kept = is_shown[best] & (scores > 0)
        best, scores = best[kept], scores[kept]
        mine = slice(begins[profile], begins[profile + 1])
        for because in _last_liked(interactions, mine):
            likeness = directions[best] @ directions[because]
            value = np.round(scores * likeness, 6)
            order = [each for each in np.lexsort((best, -value)) if value[each] > 0][:SUGGESTIONS]
            for rank, each in enumerate(order, start=1):
                yield (
                    *(interactions.profiles[profile], interactions.movies[because], rank),
                    *(interactions.movies[best[each]], float(value[each])),
                )


def _last_liked(interactions: Interactions, mine: slice) -> list[int]:
    movies, shares, times = interactions.movie[mine], interactions.share[mine], interactions.at_ms[mine]
    order = [each for each in np.lexsort((movies, -times)) if shares[each] >= BECAUSE_SHARE]
    return [int(movies[each]) for each in order[:BECAUSE_TITLES]]


def similar_by_watching(interactions: Interactions, count: int) -> dict[str, list[tuple[str, float]]]:
    """Title -> [(title, score)]: cosine of who watched them, damped: shared / (sqrt(one x other) + SHRINKAGE).

    Item-item collaborative filtering (Sarwar et al., WWW 2001), with the shrinkage of Koren and Bell (*Advances in Collaborative
    Filtering*, 2011). Titles with fewer than `MIN_WATCHERS` watchers are in none of it.
    """
    order = np.lexsort((-interactions.at_ms, interactions.profile))
    begins = np.searchsorted(interactions.profile[order], np.arange(len(interactions.profiles)))
    place = np.arange(len(order)) - begins[interactions.profile[order]]
    kept = np.zeros(len(order), np.float32)
    kept[order[place < WATCHED_TITLES]] = 1
    watched = interactions.matrix(kept)
    watchers = np.asarray(watched.sum(axis=0)).ravel()
    found: dict[str, list[tuple[str, float]]] = {}
    by_movie = watched.T.tocsr()
    for first in range(0, len(interactions.movies), 1000):
        shared = (by_movie[first : first + 1000] @ watched).tocsr()
        for row in range(shared.shape[0]):
            movie = first + row
            part = slice(shared.indptr[row], shared.indptr[row + 1])
            others, counts = shared.indices[part], shared.data[part]
            is_kept = (others != movie) & (counts >= MIN_WATCHERS)
            others, counts = others[is_kept], counts[is_kept]
            if not len(others):
                continue
            scores = np.round(counts / (np.sqrt(watchers[movie] * watchers[others]) + SHRINKAGE), 6)
            best = np.lexsort((others, -scores))[:count]
            found[interactions.movies[movie]] = [
                (interactions.movies[others[each]], float(scores[each])) for each in best
            ]
    return found
