"""Resume positions per second and their cost for this process, on PostgreSQL and on Cassandra, in alternating rounds.

`python -m bench.progress [--rounds 5] [--seconds 3] [--viewers 64] [--url NAME=URL ...]`. Without `--url` both engines
are started here; then their start time in seconds and their memory are measured too. `cpu_us` is this process's
processor time, the driver's threads included, for each acknowledged write: what an API process pays in addition to the
request itself. Engines and clients share the machine: a rate is that of both together, the cost is this process's
alone.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import PlatformUnavailable
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.cassandra import CASSANDRA
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.postgres import POSTGRES
from marquee.settings import load_settings
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import MovableResumePositions, ResumePosition
from marquee.stores.schema.migrate import migrate

ENGINES = {"postgres": (POSTGRES, "MARQUEE_DATABASE_URL"), "cassandra": (CASSANDRA, "MARQUEE_RESUME_POSITIONS_URL")}


@dataclass
class Figures:
    """The rounds' figures of one engine."""

    about: dict[str, object] = field(default_factory=dict)
    writes_per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        latency = statistics.quantiles(self.latency_ms, n=100)
        return {
            **self.about,
            "acknowledged_per_second": round(statistics.median(self.writes_per_second)),
            "spread": [round(min(self.writes_per_second)), round(max(self.writes_per_second))],
            "cpu_us_a_write": round(statistics.median(self.cpu_us), 1),
            "cpu_us_spread": [round(min(self.cpu_us), 1), round(max(self.cpu_us), 1)],
            "latency_ms_p50": round(latency[49], 2),
            "latency_ms_p99": round(latency[98], 2),
        }


@contextlib.contextmanager
def _started(engine: Engine, setting: str, folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The URL of a started engine, and its figures: seconds to start, memory (PSS) after the load."""
    settings = load_settings(state=folder)
    begun = time.perf_counter()
    try:
        urls = asyncio.run(instances.up(settings, [engine], on_event=lambda _: None, tied=True))
        seconds = time.perf_counter() - begun
        if engine is POSTGRES:
            migrate(urls[setting])
        about: dict[str, object] = {"seconds_to_start": round(seconds, 1)}
        yield urls[setting], about
        weighed = asyncio.run(instances.observe(settings, [engine]))
        about["megabytes_after"] = round(sum(process.memory_bytes for process in weighed) / 1e6)
    finally:
        asyncio.run(instances.down(settings, [engine], on_event=lambda _: None))


async def _round(store: MovableResumePositions, figures: Figures, *, viewers: int, seconds: float) -> None:
    """Each viewer writes as soon as its last write was acknowledged."""
    movies = [new_movie_id() for _ in range(100)]
    until = time.perf_counter() + seconds
    latency: list[float] = []

    async def watch() -> None:
        user_id = new_profile_id()
        position = 0
        while (begun := time.perf_counter()) < until:
            position += 4000
            moment = time.time_ns() // 1_000_000
            await store.record(ResumePosition(user_id, movies[position // 400_000 % 100], position, moment))
            latency.append(1000 * (time.perf_counter() - begun))

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(watch() for _ in range(viewers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures.writes_per_second.append(len(latency) / wall)
    figures.cpu_us.append(1e6 * cpu / len(latency))
    figures.latency_ms += latency


async def measure(
    urls: Mapping[str, str], figures: Mapping[str, Figures], *, rounds: int, viewers: int, seconds: float
) -> None:
    stores = {name: open_movable(url) for name, url in urls.items()}
    for store in stores.values():  # connected and warm
        await _round(store, Figures(), viewers=viewers, seconds=min(1.0, seconds))
    for turn in range(rounds):
        names = list(stores) if turn % 2 else list(reversed(stores))
        for name in names:
            await _round(stores[name], figures[name], viewers=viewers, seconds=seconds)
    for store in stores.values():
        await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--viewers", type=int, default=64)
    parser.add_argument("--url", action="append", default=[], metavar="NAME=URL")
    asked = parser.parse_args()
    urls: dict[str, str] = dict(each.split("=", 1) for each in asked.url)
    figures = {name: Figures() for name in urls}
    with contextlib.ExitStack() as stack:
        if not urls:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marquee-bench-")))
            for name, (engine, setting) in ENGINES.items():
                try:
                    engine.fetch(load_settings(state=folder))
                except PlatformUnavailable as error:
                    sys.stderr.write(f"{name} is left out: {error.detail}\n")
                    continue
                urls[name], about = stack.enter_context(_started(engine, setting, folder))
                figures[name] = Figures(about)
        asyncio.run(measure(urls, figures, rounds=asked.rounds, viewers=asked.viewers, seconds=asked.seconds))
    sys.stdout.write(json.dumps({name: each.summary() for name, each in figures.items()}) + "\n")


if __name__ == "__main__":
    main()
