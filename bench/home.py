"""The home page with a Redis Cluster and with one Valkey, and the cost of a lost master of the cluster.

`python -m bench.home [--rounds 5] [--seconds 3] [--failovers 5] [--url MARQUEE_ROW_CACHE_URL=... --url
MARQUEE_...=...]`. Rounds alternate between two API servers that differ only in the URLs of row cache and coordination.
Without `--url` the cluster is started here; then its start time, its memory and its failovers are measured too. An API
keeps a row for half a second, so a page makes few calls to the cache. The cache's own calls are therefore measured too,
one after the other. Clients and servers share one machine, so both rates include the clients' own cost.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bench.api import Load, home_request, log_in, prepare, seeded
from marquee import token_keys
from marquee.errors import StoreUnavailable
from marquee.platform import local_engines
from marquee.platform.cluster_engines import instances as engine_instances
from marquee.platform.cluster_engines.redis_cluster import REDIS_CLUSTER
from marquee.settings import Settings, load_settings
from marquee.stores.coordination import open_coordination
from marquee.stores.coordination.contract import Coordination
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.contract import RowCache
from marquee.stores.schema.migrate import migrate
from tests.harness.api.serving import serving
from tests.harness.clusters import KillableCluster, killable_cluster
from tests.harness.servers import free_port_base, make_test_settings, running

CALLS = 400
ROW = b"x" * 20_000
"""A row of 50 items, as it is cached."""
Figures = dict[str, object]


def _spread(values: list[float]) -> Figures:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 3), "p99": round(cuts[98], 3)}


@contextlib.contextmanager
def _started_cluster(folder: Path, figures: Figures) -> Iterator[Mapping[str, str]]:
    settings = load_settings(state=folder)
    begun = time.perf_counter()
    try:
        urls = asyncio.run(engine_instances.up(settings, [REDIS_CLUSTER], on_event=lambda _: None, tied=True))
        figures["seconds_to_start"] = round(time.perf_counter() - begun, 1)
        yield urls
        weighed = asyncio.run(engine_instances.observe(settings, [REDIS_CLUSTER]))
        figures["megabytes_of_its_nodes"] = [round(process.memory_bytes / 1e6, 1) for process in weighed]
    finally:
        asyncio.run(engine_instances.down(settings, [REDIS_CLUSTER], on_event=lambda _: None))


async def _homes(api_urls: Mapping[str, str], token: str, *, rounds: int, seconds: float) -> Figures:
    loads = {name: Load(url, lambda _: home_request(token)) for name, url in api_urls.items()}
    rates: dict[str, list[float]] = {name: [] for name in loads}
    for load in loads.values():
        await load.rate(0.5)
        load.latency_ms.clear()
    for turn in range(rounds):
        for name in list(loads) if turn % 2 else list(reversed(loads)):
            rates[name].append(await loads[name].rate(seconds))
    found: Figures = {
        name: {"pages_per_second": round(statistics.median(rates[name])), "latency_ms": _spread(load.latency_ms)}
        for name, load in loads.items()
    }
    ratios = [cluster / one for cluster, one in zip(rates["redis-cluster"], rates["valkey"], strict=True)]
    found["ratio"] = [round(value, 3) for value in (statistics.median(ratios), min(ratios), max(ratios))]
    return found


async def _calls(settings: Mapping[str, Settings], *, rounds: int) -> Figures:
    """Milliseconds of one read of a row, and of acquiring and releasing a lock, one call after the other."""
    found: dict[str, dict[str, list[float]]] = {name: {"look": [], "lock": []} for name in settings}
    stores = {
        name: (open_row_cache(each.row_cache), open_coordination(each.coordination)) for name, each in settings.items()
    }
    for turn in range(rounds):
        for name in list(stores) if turn % 2 else list(reversed(stores)):
            cache, coordination = stores[name]
            await _fill(cache)
            found[name]["look"] += await _timed(partial(_look, cache))
            found[name]["lock"] += await _timed(partial(_lock, coordination))
    for cache, coordination in stores.values():
        await cache.close()
        await coordination.close()
    return {name: {call: _spread(values) for call, values in each.items()} for name, each in found.items()}


async def _fill(cache: RowCache) -> None:
    for number in range(20):
        key = f"bench:{number}"
        await cache.fill(key, ROW, generation=await cache.generation(key), fresh_seconds=60, keep_seconds=60)


async def _look(cache: RowCache, number: int) -> None:
    await cache.get(f"bench:{number % 20}")


async def _lock(coordination: Coordination, number: int) -> None:
    lock = await coordination.acquire(f"bench:{number % 20}", hold_seconds=5)
    if lock is not None:
        await coordination.release(lock)


async def _timed(call: Callable[[int], Awaitable[object]]) -> list[float]:
    taken = []
    for number in range(CALLS):
        begun = time.perf_counter()
        with contextlib.suppress(StoreUnavailable):  # a call that times out counts with its time-out
            await call(number)
        taken.append(1000 * (time.perf_counter() - begun))
    return taken


async def _failover_seconds(cluster: KillableCluster, name: str) -> float:
    """Seconds from SIGKILL of the master that holds a lock until the lock can be acquired again."""
    coordination = open_coordination(cluster.url)
    await coordination.ping()
    victim = await asyncio.to_thread(cluster.master_of, f"{{lock:{name}}}")
    await asyncio.to_thread(cluster.kill, victim)
    begun = time.perf_counter()
    while True:
        with contextlib.suppress(StoreUnavailable):
            if await coordination.acquire(name, hold_seconds=0.001) is not None:
                break
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - begun
    await coordination.close()
    return seconds


def _failovers(folder: Path, count: int) -> list[float]:
    with killable_cluster(folder) as cluster:
        taken = []
        for number in range(count):
            taken.append(round(asyncio.run(_failover_seconds(cluster, f"failover:{number}")), 2))
            cluster.make_whole()
        return taken


def _variables_to_fields(urls: Mapping[str, str]) -> dict[str, str]:
    return {variable.removeprefix("MARQUEE_").lower(): url for variable, url in urls.items()}


async def _measure(
    api_urls: Mapping[str, str], settings: Mapping[str, Settings], *, rounds: int, seconds: float
) -> Figures:
    async with seeded(settings["valkey"]) as (stores, _):
        token = await log_in(api_urls["valkey"], stores)
        homes = await _homes(api_urls, token, rounds=rounds, seconds=seconds)
    return {"home": homes, "calls_ms": await _calls(settings, rounds=rounds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--failovers", type=int, default=5)
    parser.add_argument("--url", action="append", default=[], metavar="VARIABLE=URL")
    asked = parser.parse_args()
    urls: Mapping[str, str] = dict(each.split("=", 1) for each in asked.url)
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        settings = make_test_settings(folder / "valkey").model_copy(
            update={"token_private_key": SecretStr(token_keys.generate_private_key())}
        )
        settings.state.mkdir()
        for engine in (
            local_engines.postgres,
            local_engines.valkey_cache,
            local_engines.valkey_log,
            local_engines.seaweedfs,
        ):
            stack.enter_context(running(engine(settings), settings.state))
        migrate(settings.database)
        asyncio.run(prepare(settings))
        if not urls:
            figures["failover_seconds"] = _failovers(folder / "failover", asked.failovers)
            urls = stack.enter_context(_started_cluster(folder / "cluster", figures))
        both = {
            "valkey": settings,
            # The same engines except those in `urls`, and another port.
            "redis-cluster": settings.model_copy(update=_other_api(settings, urls)),
        }
        api_urls = {name: stack.enter_context(serving(each)) for name, each in both.items()}
        figures |= asyncio.run(_measure(api_urls, both, rounds=asked.rounds, seconds=asked.seconds))
    sys.stdout.write(json.dumps(figures) + "\n")


def _other_api(settings: Settings, urls: Mapping[str, str]) -> dict[str, object]:
    engines_by_url = {
        "database_url": settings.database,
        "event_log_url": settings.event_log,
        "objects_url": settings.objects,
        "published_url": settings.published,
    }
    return {"port_base": free_port_base(), **engines_by_url, **_variables_to_fields(urls)}


if __name__ == "__main__":
    main()
