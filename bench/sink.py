"""Events per second from the event log into the lake, where the time goes, and what kills cost.

`python -m bench.sink [--events 200000] [--rounds 3] [--kills 20]`. PostgreSQL and Valkey are started here; the lake is a folder.
Events as a real player sends them are published first; then one sink reads them all. A round ends when the last event is live.
`cpu_us` is this process's processor time for each event, threads included; `read_share` is the share of the time in which the
sink waits for the event log or reads its answers. Engines and sink share the machine. With `--kills` sinks are
killed at every step (`tests.harness.lake.kills`), on Valkey and on Kafka. The last line is one JSON object.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import secrets
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import redis

from marquee.domain.ids import new_movie_id, new_playback_id, new_profile_id
from marquee.events.viewing import ViewingEvent
from marquee.ingest.lake.sink import EventSink, Limits
from marquee.platform import local_engines
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.valkey.records import stream_key
from marquee.stores.lake import EVENTS, open_lake
from marquee.stores.schema.migrate import migrate
from tests.harness.lake.kills import measure as measure_killed
from tests.harness.servers import make_test_settings, running, running_engine

STREAMS: Final = 4
BATCH: Final = 500
WARM_UP: Final = 2000
"""Events of a first round that is not counted: it imports pyarrow, which costs 0.5 s of the processor once in a process."""
KINDS: Final = ("heartbeat", "heartbeat", "heartbeat", "rendition", "stall_end", "seek", "request", "exit")


def values(count: int) -> Iterator[tuple[str, bytes]]:
    """Key and value of events as players send them, of 50 events a session."""
    movies = [new_movie_id() for _ in range(200)]
    profiles = [new_profile_id() for _ in range(500)]
    now_ms = int(time.time() * 1000)
    session = new_playback_id()
    for number in range(count):
        if number % 50 == 0:
            session = new_playback_id()
        at_ms = now_ms - (number % 1000) * 100
        event = ViewingEvent(
            event_id=f"e_{secrets.token_hex(10)}",
            kind=KINDS[number % len(KINDS)],  # type: ignore[arg-type]
            source="client",
            at_ms=at_ms,
            received_at_ms=at_ms + 40,
            session_id=session,
            profile_id=profiles[number // 50 % len(profiles)],
            movie_id=movies[number // 50 % len(movies)],
            version=1,
            device="desktop",
            player="marquee-web",
            edge="http://127.0.0.1:8401",
            position_seconds=(number % 50) * 10.04,
            watched_ms=10_000,
            height=720,
            kbps=2500,
        )
        yield session, msgspec.json.encode(event)


async def measure(settings: Settings, *, events: int, rounds: int) -> dict[str, Any]:
    """`sink_events_per_second` and what it is made of; `settings` name a migrated database, an event log and a lake."""
    found: list[tuple[float, float, float]] = []
    for count in (WARM_UP, *[events] * rounds):
        topic = f"bench-{secrets.token_hex(6)}"
        await _publish(settings, topic, count)
        found.append(await _round(settings, topic, count))
    del found[0]
    seconds, cpu, read = (statistics.median(each) for each in zip(*found, strict=True))
    return {
        "sink_events": events,
        "sink_events_per_second": round(events / seconds),
        "sink_events_per_second_range": [
            round(events / max(s for s, _, _ in found)),
            round(events / min(s for s, _, _ in found)),
        ],
        "sink_cpu_us_an_event": round(1e6 * cpu / events, 2),
        "sink_read_share": round(read / seconds, 2),
    }


async def _publish(settings: Settings, topic: str, events: int) -> None:
    """Straight into Valkey's streams, many at once: publishing is not what is measured."""
    event_log = open_event_log(settings.event_log)
    await event_log.ensure_topic(topic, streams=STREAMS)
    await event_log.close()
    client = redis.Redis.from_url(settings.event_log.replace("valkey://", "redis://"))
    for some in _batched(values(events)):
        pipeline = client.pipeline(transaction=False)
        for key, value in some:
            pipeline.xadd(stream_key(topic, zlib.crc32(key.encode()) % STREAMS), {"k": key, "v": value})
        pipeline.execute()
    client.close()


def _batched(found: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while some := list(itertools.islice(found, BATCH)):
        yield some


async def _round(settings: Settings, topic: str, events: int) -> tuple[float, float, float]:
    """Seconds, processor seconds, and seconds in reads."""
    event_log, lake = open_event_log(settings.event_log), open_lake(settings)
    await lake.files.ensure()
    before = sum(file.rows for file in await lake.live_files(EVENTS))
    read_seconds, read = 0.0, event_log.read

    async def timed(*arguments: Any, **named: Any) -> Any:
        nonlocal read_seconds
        began = time.perf_counter()
        answer = await read(*arguments, **named)
        read_seconds += time.perf_counter() - began
        return answer

    event_log.read = timed  # type: ignore[method-assign]
    sink = EventSink(event_log, lake, topic, Limits(settings.sink_flush_rows, settings.sink_flush_bytes, 3600.0))
    began, cpu = time.perf_counter(), time.process_time()
    await sink.begin()
    while await sink.step():
        pass
    await sink.flush()
    took = time.perf_counter() - began, time.process_time() - cpu, read_seconds
    written = sum(file.rows for file in await lake.live_files(EVENTS)) - before
    await lake.close()
    await event_log.close()
    if written != events:
        raise RuntimeError(f"{written} rows are live of {events} events")
    return took


async def measure_kills(settings: Settings, urls: dict[str, str], folder: Path, *, kills: int) -> dict[str, Any]:
    """`lost` and `doubled` over so many kills at each step, on each event log (name -> URL)."""
    found = {name: await measure_killed(settings, url, folder, kills=kills) for name, url in urls.items()}
    return {
        "lost": sum(each.lost for each in found.values()),
        "doubled": sum(each.doubled for each in found.values()),
        "kills": sum(each.killed for each in found.values()),
        **{f"kills_{name}": each.killed for name, each in found.items()},
    }


@contextlib.contextmanager
def engines(folder: Path) -> Iterator[Settings]:
    """PostgreSQL with the platform's tables, Valkey, and a lake in a folder."""
    settings = make_test_settings(folder)
    with running(local_engines.postgres(settings), folder), running(local_engines.valkey_log(settings), folder):
        migrate(settings.database)
        yield settings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=0, help="at each step, on each event log")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, engines(Path(folder)) as settings:
        if asked.kills:
            with running_engine(KAFKA, Path(folder, "kafka")) as started:
                urls = {"valkey": settings.event_log, "kafka": started["MARQUEE_EVENT_LOG_URL"]}
                figures |= asyncio.run(measure_kills(settings, urls, Path(folder), kills=asked.kills))
        if asked.events:
            figures |= asyncio.run(measure(settings, events=asked.events, rounds=asked.rounds))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
