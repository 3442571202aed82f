"""`python -m jobs.spark.evaluate --data FOLDER`: does taste find what people watch next better than popularity does?

MovieLens latest-small (100,836 ratings of 610 people, `ratings.csv`; GroupLens's terms allow its use in research). A rating of 5
is taken as a title watched whole, 1 as a fifth of it. Held out: each person's last 20 % of ratings by time. Recall@20: how many
of these are among 20 titles that the person has not watched before, over how many there are; the mean over people. The interval
is the bootstrap's over people, 95 % (Efron 1979). With `--write` the figures become the proof that the job `taste` asks for.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from jobs.spark.proof import PROOF, is_above
from jobs.spark.recommending import PARAMETERS, Interactions, best_unwatched, factorised
from jobs.spark.session import spark_session, work_folder
from marquee.settings import load_settings

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "events"
"""Beside the checkout."""
AT: Final = 20
HELD_OUT: Final = 0.2
SAMPLES: Final = 2000


def split(ratings: Sequence[tuple[str, str, float, int]]) -> tuple[Interactions, list[frozenset[int]]]:
    """What was watched before, and for each profile of it the titles that were held out.

    A title that nobody watched before has no number and cannot be found: it counts as missed, as number -1 and below.
    """
    people: dict[str, list[tuple[str, str, float, int]]] = {}
    for rating in ratings:
        people.setdefault(rating[0], []).append(rating)
    before: list[tuple[str, str, float, int]] = []
    after: dict[str, list[str]] = {}
    for person, mine in sorted(people.items()):
        mine.sort(key=lambda rating: (rating[3], rating[1]))
        kept = len(mine) - max(1, round(HELD_OUT * len(mine)))
        if kept:
            before += sorted(mine[:kept], key=lambda rating: rating[1])
            after[person] = [movie for _, movie, _, _ in mine[kept:]]
    profiles, movies = sorted({each[0] for each in before}), sorted({each[1] for each in before})
    profile_of, movie_of = ({each: number for number, each in enumerate(ids)} for ids in (profiles, movies))
    interactions = Interactions(
        profiles,
        movies,
        np.array([profile_of[each[0]] for each in before], np.int32),
        np.array([movie_of[each[1]] for each in before], np.int32),
        np.array([each[2] for each in before], np.float32),
        np.array([each[3] for each in before], np.int64),
    )
    held = [
        frozenset(movie_of.get(movie, -1 - number) for number, movie in enumerate(after[person])) for person in profiles
    ]
    return interactions, held


def recall(found: Sequence[Sequence[int]], held: Sequence[frozenset[int]]) -> dict[str, float]:
    """Mean recall over people, and its 95 % interval."""
    each = np.array([len(mine & set(titles)) / len(mine) for titles, mine in zip(found, held, strict=True)])
    draws = np.random.default_rng(1).integers(0, len(each), (SAMPLES, len(each)))
    low, high = np.percentile(each[draws].mean(axis=1), [2.5, 97.5])
    return {"recall": round(float(each.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def by_popularity(interactions: Interactions) -> list[list[int]]:
    """For each profile the titles that most profiles watched, without its own."""
    watched = interactions.matrix()
    order = np.argsort(-np.asarray((watched > 0).sum(axis=0)).ravel(), kind="stable")
    own = [set(watched.indices[watched.indptr[row] : watched.indptr[row + 1]]) for row in range(watched.shape[0])]
    return [[int(movie) for movie in order[: AT + len(mine)] if movie not in mine][:AT] for mine in own]


def by_taste(spark: Any, interactions: Interactions) -> list[list[int]]:
    """The same by ALS, in the way of the job `taste`."""
    factors = factorised(spark, interactions)
    return [list(map(int, best)) for _, best, _ in best_unwatched(factors, interactions.matrix(), AT)]


def read_ratings(folder: Path) -> list[tuple[str, str, float, int]]:
    """(person, title, share, time) of `ratings.csv`."""
    with (folder / "ratings.csv").open() as file:
        return [
            (row["userId"], row["movieId"], float(row["rating"]) / 5, int(row["timestamp"]))
            for row in csv.DictReader(file)
        ]


def evaluated(spark: Any, data: Path = DATA) -> dict[str, Any]:
    """The figures as they are stored: parameters, taste, popularity, people."""
    interactions, held = split(read_ratings(data))
    return {
        "data": "MovieLens latest-small, each person's last 20 % of ratings held out",
        "parameters": dict(PARAMETERS),
        "people": len(held),
        "taste": recall(by_taste(spark, interactions), held),
        "popularity": recall(by_popularity(interactions), held),
    }


def evaluate(data: Path = DATA) -> dict[str, Any]:
    """For the benchmark: `recall_at_20` of taste and of popularity with their intervals, with a Spark of its own."""
    with tempfile.TemporaryDirectory(prefix="marquee-evaluate-") as state:
        settings = load_settings(state=Path(state))
        with work_folder(settings) as folder, spark_session(settings, "evaluate", folder) as spark:
            found = evaluated(spark, data)
    return {
        "recall_at_20": found["taste"]["recall"],
        "recall_at_20_interval": [found["taste"]["low"], found["taste"]["high"]],
        "popularity_recall_at_20": found["popularity"]["recall"],
        "popularity_recall_at_20_interval": [found["popularity"]["low"], found["popularity"]["high"]],
        "is_proved": is_above(found["taste"], found["popularity"]),
        "found": found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m jobs.spark.evaluate")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of MovieLens's ratings.csv")
    parser.add_argument("--write", action="store_true", help="make the figures the proof that `taste` asks for")
    asked = parser.parse_args()
    figures = evaluate(asked.data)
    if asked.write:
        PROOF.write_text(json.dumps(figures["found"], indent=2) + "\n")
    sys.stdout.write(json.dumps({name: value for name, value in figures.items() if name != "found"}) + "\n")


if __name__ == "__main__":
    main()
