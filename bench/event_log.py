"""Records per second through the event log, and their cost for this process, on Valkey and on Kafka.

`python -m bench.event_log [--rounds 5] [--records 4000] [--publishers 64] [--url NAME=URL ...]`. Rounds alternate
between the engines. Without `--url` both engines are started here; then their start time in seconds and their memory
(PSS) are measured too. A round has three parts: each publisher publishes as soon as its last record was acknowledged;
one consumer reads and acknowledges all records in batches of 500; the group is handed over to a second member. `cpu_us`
is this process's processor time, the client's threads included, for each record. Engines and clients share the machine:
a rate is that of both together, the cost is this process's alone.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marquee.errors import PlatformUnavailable
from marquee.platform import local_engines
from marquee.platform.cluster_engines import instances as engine_instances
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.platform.supervisor.observation import memory
from marquee.settings import load_settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Consumer, EventLog
from tests.harness.servers import make_test_settings, running

STREAMS = 4
BATCH = 500
VALUE = b"x" * 700
"""About what an envelope of `metadata-changes` has."""


@dataclass
class Figures:
    """The rounds' figures of one engine."""

    about: dict[str, object] = field(default_factory=dict)
    published_per_second: list[float] = field(default_factory=list)
    published_cpu_us: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    consumed_per_second: list[float] = field(default_factory=list)
    consumed_cpu_us: list[float] = field(default_factory=list)
    takeover_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        latency = statistics.quantiles(self.latency_ms, n=100)
        return {
            **self.about,
            "acknowledged_per_second": _median_and_range(self.published_per_second),
            "cpu_us_a_record_published": _median_and_range(self.published_cpu_us),
            "latency_ms_p50_p99": [round(latency[49], 1), round(latency[98], 1)],
            "consumed_per_second": _median_and_range(self.consumed_per_second),
            "cpu_us_a_record_consumed": _median_and_range(self.consumed_cpu_us),
            "takeover_ms": _median_and_range(self.takeover_ms),
        }


def _median_and_range(values: list[float]) -> list[int]:
    """Median, minimum, maximum."""
    return [round(statistics.median(values)), round(min(values)), round(max(values))]


@contextlib.contextmanager
def _valkey(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    settings = make_test_settings(folder)
    begun = time.perf_counter()
    with running(local_engines.valkey_log(settings), folder) as process:
        about: dict[str, object] = {"seconds_to_start": round(time.perf_counter() - begun, 1)}
        yield settings.event_log, about
        about["megabytes_after"] = round(memory(process.pid) / 1e6)


@contextlib.contextmanager
def _kafka(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    settings = load_settings(state=folder)
    KAFKA.fetch(settings)
    begun = time.perf_counter()
    try:
        urls = asyncio.run(engine_instances.up(settings, [KAFKA], on_event=lambda _: None, tied=True))
        about: dict[str, object] = {"seconds_to_start": round(time.perf_counter() - begun, 1)}
        yield urls["MARQUEE_EVENT_LOG_URL"], about
        [process] = asyncio.run(engine_instances.observe(settings, [KAFKA]))
        about["megabytes_after"] = round(process.memory_bytes / 1e6)
    finally:
        asyncio.run(engine_instances.down(settings, [KAFKA], on_event=lambda _: None))


async def _publish(log: EventLog, topic: str, figures: Figures, *, records: int, publishers: int) -> None:
    latency: list[float] = []

    async def publish(publisher: int) -> None:
        for _ in range(records // publishers):
            begun = time.perf_counter()
            await log.publish(topic, f"key-{publisher}", VALUE)
            latency.append(1000 * (time.perf_counter() - begun))

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(publish(publisher) for publisher in range(publishers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures.published_per_second.append(len(latency) / wall)
    figures.published_cpu_us.append(1e6 * cpu / len(latency))
    figures.latency_ms += latency


async def _consume(consumer: Consumer, count: int) -> None:
    while count > 0:
        records = await consumer.poll(limit=BATCH, timeout_seconds=1)
        await consumer.acknowledge(records)
        count -= len(records)


async def _round(log: EventLog, figures: Figures, *, records: int, publishers: int) -> None:
    topic = f"bench-{secrets.token_hex(4)}"
    await log.ensure_topic(topic, streams=STREAMS)
    first = await log.subscribe(topic, f"{topic}-readers")
    await _publish(log, topic, figures, records=records, publishers=publishers)
    count = records // publishers * publishers
    wall, cpu = time.perf_counter(), time.process_time()
    await _consume(first, count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures.consumed_per_second.append(count / wall)
    figures.consumed_cpu_us.append(1e6 * cpu / count)
    second = await log.subscribe(topic, f"{topic}-readers")
    # One record for each key reaches every stream, also the streams of the member that leaves.
    await asyncio.gather(*(log.publish(topic, f"key-{number}", VALUE) for number in range(publishers)))
    begun = time.perf_counter()
    await first.close()
    await _consume(second, publishers)
    figures.takeover_ms.append(1000 * (time.perf_counter() - begun))
    await second.close()


async def measure(
    urls: Mapping[str, str], figures: Mapping[str, Figures], *, rounds: int, records: int, publishers: int
) -> None:
    logs = {name: open_event_log(url) for name, url in urls.items()}
    for log in logs.values():  # connected and warm
        await _round(log, Figures(), records=records // 4, publishers=publishers)
    for turn in range(rounds):
        names = list(logs) if turn % 2 else list(reversed(logs))
        for name in names:
            await _round(logs[name], figures[name], records=records, publishers=publishers)
    for log in logs.values():
        await log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--publishers", type=int, default=64)
    parser.add_argument("--url", action="append", default=[], metavar="NAME=URL")
    asked = parser.parse_args()
    urls: dict[str, str] = dict(each.split("=", 1) for each in asked.url)
    figures = {name: Figures() for name in urls}
    with contextlib.ExitStack() as stack:
        if not urls:
            for name, started in {"valkey": _valkey, "kafka": _kafka}.items():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marquee-bench-")))
                try:
                    urls[name], about = stack.enter_context(started(folder))
                except PlatformUnavailable as error:
                    sys.stderr.write(f"{name} is left out: {error.detail}\n")
                    continue
                figures[name] = Figures(about)
        asyncio.run(measure(urls, figures, rounds=asked.rounds, records=asked.records, publishers=asked.publishers))
    sys.stdout.write(json.dumps({name: each.summary() for name, each in figures.items()}) + "\n")


if __name__ == "__main__":
    main()
