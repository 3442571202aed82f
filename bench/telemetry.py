"""Players' events per second through one process of the API, and through a bare handler that writes the same bytes to the log.

`python -m bench.telemetry [--seconds 3] [--rounds 5]`. Rounds alternate between the two servers, so that other load on the
machine affects both; the ratio is computed for each pair of rounds. A batch has 20 events, as of a session's last minute.
Clients, servers and engine share the machine, so both rates include the clients' own cost. `cpu_us` is a server's processor time
for one event.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bench.raw_client import RawClient, request_bytes
from bench.started import bare_handler, platform
from marquee.domain.ids import new_movie_id, new_playback_id, new_profile_id
from marquee.events import VIEWING_EVENTS
from marquee.ports import api_port_name
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from marquee.telemetry_token import TELEMETRY_PATH, TelemetrySession, TelemetryTokens

CLIENTS: Final = 32
EVENTS: Final = 20
MAX_EVENTS_PER_MINUTE: Final = 100_000_000


@dataclass
class _Server:
    """One of the two servers: where it listens, its process, and each client's request."""

    url: str
    pid: int
    requests: Sequence[bytes]
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def measure(seconds: float = 3.0, *, rounds: int = 5) -> dict[str, float]:
    """The figures: `events_per_second` of the API, `event_ratio` to the bare handler, both medians, and their spreads."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marquee-bench-")))
        settings, pids = stack.enter_context(platform(folder, telemetry_events_per_minute=MAX_EVENTS_PER_MINUTE))
        sessions = [
            TelemetrySession(
                new_playback_id(), new_profile_id(), new_movie_id(), 1, False, int(time.time()) + 24 * 3600
            )
            for _ in range(CLIENTS)
        ]
        tokens = TelemetryTokens(settings)
        api = _Server(
            settings.loopback(api_port_name(1)),
            pids["api-1" if "api-1" in pids else "api"],
            [request_bytes("POST", TELEMETRY_PATH + tokens.sign(each), body=_batch()) for each in sessions],
        )
        stored = asyncio.run(_stored(settings, api))
        url, pid = stack.enter_context(_bare(settings))
        bare = _Server(
            url,
            pid,
            [request_bytes("POST", f"/{each.session_id}", body=stored[each.session_id]) for each in sessions],
        )
        for turn in range(rounds):
            for server in (api, bare) if turn % 2 else (bare, api):
                asyncio.run(_round(server, seconds))
    ratios = [ours / least for ours, least in zip(api.rates, bare.rates, strict=True)]
    return {
        "events_per_second": round(statistics.median(api.rates)),
        "events_per_second_bare": round(statistics.median(bare.rates)),
        "event_ratio": round(statistics.median(ratios), 3),
        "event_ratio_lowest": round(min(ratios), 3),
        "event_ratio_highest": round(max(ratios), 3),
        "cpu_us": round(statistics.median(api.cpu_us), 1),
        "cpu_us_bare": round(statistics.median(bare.cpu_us), 1),
    }


def _batch() -> bytes:
    beats = [
        {"seq": 3 + n, "kind": "heartbeat", "at_ms": 4000.0 + n, "watched_ms": 3000, "position_seconds": 3.0 * n}
        for n in range(EVENTS - 3)
    ]
    first: list[dict[str, Any]] = [
        {"seq": 0, "kind": "attempt", "at_ms": 1000.0},
        {"seq": 1, "kind": "first_frame", "at_ms": 1800.0, "duration_ms": 800},
        {"seq": 2, "kind": "rendition", "at_ms": 1900.0, "height": 1080, "kbps": 4200},
    ]
    return msgspec.json.encode({"sent_ms": 60_000.0, "player": "bench/1", "events": [*first, *beats]})


async def _stored(settings: Settings, api: _Server) -> dict[str, bytes]:
    """What the API writes for each session's batch, one record a line."""
    for number, request in enumerate(api.requests):
        client = RawClient(api.url, f"127.0.0.{number + 10}")
        answer = await client.send(request)
        client.close()
        if answer.status != 204:
            raise RuntimeError(f"the API refused a batch: {answer.status} {answer.body.decode()}")
    lines: dict[str, list[bytes]] = {}
    async with open_stores(settings) as stores:
        records, _ = await stores.event_log.read(VIEWING_EVENTS, None, limit=CLIENTS * EVENTS)
        for record in records:
            lines.setdefault(record.key, []).append(record.value)
    return {key: b"\n".join(each) for key, each in lines.items()}


async def _round(server: _Server, seconds: float) -> None:
    """Each client sends its batch again as soon as the last one was answered."""
    begun, cpu = time.perf_counter(), _cpu_seconds(server.pid)
    until, accepted = begun + seconds, 0

    async def send(number: int, request: bytes) -> None:
        nonlocal accepted
        client = RawClient(server.url, f"127.0.0.{number + 10}")
        while time.perf_counter() < until:
            answer = await client.send(request)
            if answer.status != 204:
                raise RuntimeError(f"a batch was refused: {answer.status}")
            accepted += EVENTS
        client.close()

    await asyncio.gather(*(send(number, request) for number, request in enumerate(server.requests)))
    server.rates.append(accepted / (time.perf_counter() - begun))
    server.cpu_us.append((_cpu_seconds(server.pid) - cpu) * 1e6 / accepted)


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process and all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bare(settings: Settings) -> AbstractContextManager[tuple[str, int]]:
    """The bare handler, as the API runs: granian inside one process."""
    return bare_handler(
        lambda port: [sys.executable, "-m", "bench.bare_server", "bench.bare_telemetry", str(port)],
        BENCH_VALKEY_PORT=str(urlsplit(settings.event_log).port),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(measure(asked.seconds, rounds=asked.rounds)) + "\n")


if __name__ == "__main__":
    main()
