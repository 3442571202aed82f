"""How well search finds misspelled titles, alternative titles and human-graded queries, and how long a search takes.

`python -m bench.search_quality [--data FOLDER] [--url URL ...]` indexes the catalogue (156,097 titles) and asks every
query through the store's contract. It uses Tantivy in a temporary folder, or the given indices, such as `--url
elasticsearch://127.0.0.1:9200/quality`. It prints one row an engine, then one JSON object. A hash of the query splits
the queries in two halves. Fit the constants of `ranking` and `candidates` on the half `fit` only; the half `held` shows
whether the change helped.
"""

import argparse
import asyncio
import csv
import gzip
import hashlib
import json
import math
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marquee.documents import SearchDocument
from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import Deletion, SearchIndex

DATA = Path(__file__).parents[2] / "shared" / "data"
DEPTH = 10
CHANGES = 200


def documents(catalogue: Path) -> Iterator[SearchDocument]:
    """The catalogue's titles as search documents, with the catalogue's own ids."""
    with gzip.open(catalogue, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            yield SearchDocument(
                movie_id=str(entry["id"]),
                revision=1,
                title=entry["title"] or "",
                year=entry["year"],
                aka=[name for name in entry["aka"] or [] if name],
                genres=entry["genres"] or [],
                people=[*(entry["directors"] or []), *(entry["cast"] or [])],
                description=entry["description"],
                popularity=math.log1p(entry["votes"] or 0),
            )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def half(query: str) -> str:
    """The half of the queries that a query belongs to: `fit` or `held`."""
    return "fit" if hashlib.sha256(query.encode()).digest()[0] % 2 else "held"


@dataclass
class Measured:
    first: int = 0
    found: int = 0
    asked: int = 0
    cpu_seconds: float = 0.0
    """Of this process: all of it where the index is in process, the client's and the ranking's where it is not."""
    milliseconds: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        return {
            "queries": self.asked,
            "success@1": round(self.first / self.asked, 3),
            "success@10": round(self.found / self.asked, 3),
            "cpu_ms": round(self.cpu_seconds * 1000 / self.asked, 2),
            "p50_ms": round(statistics.median(self.milliseconds), 2),
            "p95_ms": round(statistics.quantiles(self.milliseconds, n=20)[18], 2),
        }


async def success(index: SearchIndex, asked: list[tuple[str, str]]) -> Measured:
    """How often the one right title is first, and how often it is among the first ten."""
    measured = Measured()
    began = time.process_time()
    for query, wanted in asked:
        started = time.perf_counter()
        page = await index.search(query, limit=DEPTH)
        measured.milliseconds.append((time.perf_counter() - started) * 1000)
        found = [hit.document.movie_id for hit in page.hits]
        measured.asked += 1
        measured.first += found[:1] == [wanted]
        measured.found += wanted in found
        if found[:1] != [wanted]:
            top = page.hits[0].document if page.hits else None
            place = found.index(wanted) + 1 if wanted in found else "-"
            measured.missed.append(f"{query!r} wants {wanted} (at {place}), first is {top and (top.title, top.year)}")
    measured.cpu_seconds = time.process_time() - began
    return measured


def both(one: Measured, other: Measured) -> Measured:
    return Measured(
        one.first + other.first,
        one.found + other.found,
        one.asked + other.asked,
        one.cpu_seconds + other.cpu_seconds,
        one.milliseconds + other.milliseconds,
    )


async def graded(index: SearchIndex, judged: dict[str, dict[str, int]]) -> float:
    """Mean nDCG@10 over the judged titles: the gain is 2^grade - 1, and an unjudged title counts as 0."""
    values: list[float] = []
    for query, grades in judged.items():
        page = await index.search(query, limit=DEPTH)
        gains = [2 ** grades.get(hit.document.movie_id, 0) - 1 for hit in page.hits]
        ideal = sorted((2**grade - 1 for grade in grades.values()), reverse=True)[:DEPTH]
        best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
        if best:
            values.append(sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / best)
    return round(float(statistics.mean(values)), 3)


async def applied(index: SearchIndex) -> dict[str, float]:
    """Seconds until one change is searchable, for titles that are removed again afterwards."""
    milliseconds: list[float] = []
    for number in range(CHANGES):
        change = SearchDocument(movie_id=f"bench-{number}", revision=1, title=f"Benchmark {number}")
        started = time.perf_counter()
        await index.apply([change])
        milliseconds.append((time.perf_counter() - started) * 1000)
    await index.apply([Deletion(f"bench-{number}", 1) for number in range(CHANGES)])
    percentiles = statistics.quantiles(milliseconds, n=100)
    return {"p50_ms": round(percentiles[49], 1), "p99_ms": round(percentiles[98], 1)}


async def measure(url: str, data: Path, *, verbose: bool) -> dict[str, Any]:
    judgements = data / "judgements"
    index = await open_search_writer(url)
    figures: dict[str, Any] = {"engine": url.split(":", 1)[0]}
    if await index.count() == 0:

        async def every() -> AsyncIterator[SearchDocument]:
            for document in documents(data / "catalogue" / "catalogue.jsonl.gz"):
                yield document

        started = time.perf_counter()
        figures["titles"] = await index.rebuild(every())
        figures["rebuild_seconds"] = round(time.perf_counter() - started, 1)
    sets = {
        "misspelled": [
            (row["query"], row["catalogue_id"]) for row in rows(judgements / "misspelled_title_queries.tsv")
        ],
        "alternative": [(row["alias"], row["catalogue_id"]) for row in rows(judgements / "alias_queries.tsv")],
    }
    for name, asked in sets.items():
        halves: list[Measured] = []
        for part in ("fit", "held"):
            halves.append(await success(index, [pair for pair in asked if half(pair[0]) == part]))
            figures[f"{name}_{part}"] = halves[-1].figures()
            if verbose and part == "fit":
                sys.stderr.write("\n".join(halves[-1].missed) + "\n")
        figures[name] = both(*halves).figures()
    judged: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows(judgements / "o19s_joined.tsv"):
        judged[row["set"]][row["query"]][row["catalogue_id"]] = int(float(row["grade"]))
    for name, queries in judged.items():
        figures[f"ndcg@10_{name}"] = await graded(index, queries)
    figures["applied"] = await applied(index)
    await index.close()
    return figures


def row_of(figures: dict[str, Any]) -> str:
    """One engine's figures as one line."""
    values = [f"{figures['engine']:13}"]
    for name in ("misspelled", "alternative"):
        found = figures[name]
        values.append(
            f"{found['success@1']:.3f} / {found['success@10']:.3f}, {found['p50_ms']:5.1f} / {found['p95_ms']:5.1f} ms"
        )
    values += [f"{figures[name]:.3f}" for name in sorted(figures) if name.startswith("ndcg")]
    values.append("{p50_ms:.0f} / {p99_ms:.0f} ms".format(**figures["applied"]))
    return " | ".join(values)


HEADER = "engine        | misspelled: success@1 / @10, p50 / p95 | alternative title: the same         | nDCG@10 twice | applied"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--url",
        action="append",
        help="index to measure; it is filled if it is empty (default: Tantivy in a temporary folder)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="print the queries of the half `fit` whose title was not found first"
    )
    arguments = parser.parse_args()
    if not (arguments.data / "catalogue").is_dir():
        sys.stdout.write(f"skipped: the catalogue and its judgements are not in {arguments.data} (give --data)\n")
        return
    with tempfile.TemporaryDirectory() as temporary:
        urls = arguments.url or [f"tantivy://{temporary}/search"]
        measured = [asyncio.run(measure(url, arguments.data, verbose=arguments.verbose)) for url in urls]
    sys.stdout.write("\n".join([HEADER, *map(row_of, measured)]) + "\n")
    sys.stdout.write(json.dumps({"search_quality": measured}) + "\n")


if __name__ == "__main__":
    main()
