"""What the log of viewers' requests costs an edge: two edges, one with its log, serve the same files from their caches in turn.

`python -m bench.edge_log [--rounds 7] [--seconds 3]`. Three kinds of request: a 2 MB segment with CMCD in its query, as players
send it; the same segment without CMCD; and a playlist of 1 kB with CMCD, the dearest for its size. `requests_per_second` are
medians of the rounds with the log and without it, clients included. `cpu_us` is nginx's processor time for each request. Each
`..._cost` compares the two rounds of a turn: the median of (with the log / without it) - 1, of the time for a request and of
processor time. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil

from bench.api import Load
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.ids import new_playback_id
from marquee.platform import local_engines
from marquee.platform.programs import edges
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from tests.harness.servers import make_test_settings, running

MOVIE: Final = "m_00000000000000000001"
SEGMENTS: Final = 20
FILES: Final = {
    **{f"{MOVIE}/v1/video/1080p/seg_{number:05d}.m4s": 2_000_000 for number in range(SEGMENTS)},
    f"{MOVIE}/v1/video/1080p/index.m3u8": 1000,
}
CMCD: Final = "?CMCD=" + quote(
    'bl=21300,br=4500,cid="film",d=6000,mtp=25400,ot=v,sf=h,sid="a session",tb=6000', safe=""
)
KINDS: Final = {
    "segment_with_cmcd": (f"{MOVIE}/v1/video/1080p/seg_%05d.m4s", CMCD),
    "segment": (f"{MOVIE}/v1/video/1080p/seg_%05d.m4s", ""),
    "playlist_with_cmcd": (f"{MOVIE}/v1/video/1080p/index.m3u8", CMCD),
}


def _cpu_us(pid: int) -> float:
    """Processor time of nginx's processes, each a single thread, in microseconds; `bench.meter` counts in steps of 10 ms."""
    processes = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return sum(int(Path(f"/proc/{each}/schedstat").read_text().split()[0]) for each in processes) / 1000


@dataclass
class Edge:
    """An edge and what its rounds gave."""

    settings: Settings
    pid: int
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def requests(self, kind: str) -> Callable[[int], bytes]:
        pattern, query = KINDS[kind]
        key = pattern.replace("%05d", "00000")
        path = EdgeAddresses(self.settings).path(
            MOVIE, 1, key, expires_at=int(time.time()) + 3600, session_id=new_playback_id()
        )

        def request(number: int) -> bytes:
            one = path.replace("seg_00000", f"seg_{number % SEGMENTS:05d}")
            return f"GET {one}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

        return request

    async def round(self, kind: str, seconds: float, *, counts: bool) -> None:
        cpu_us, begun = _cpu_us(self.pid), time.perf_counter()
        rate = await Load(self._url, self.requests(kind)).rate(seconds)
        answers = rate * (time.perf_counter() - begun)
        if counts:
            self.rates.append(rate)
            self.cpu_us.append((_cpu_us(self.pid) - cpu_us) / answers)

    @property
    def _url(self) -> str:
        return self.settings.edges[0]


async def measure(logging: Edge, silent: Edge, *, rounds: int, seconds: float) -> dict[str, object]:
    found: dict[str, object] = {}
    for kind in KINDS:
        for edge in (logging, silent):
            edge.rates.clear()
            edge.cpu_us.clear()
            await edge.round(kind, seconds, counts=False)
        for turn in range(rounds):
            for edge in (logging, silent) if turn % 2 else (silent, logging):
                await edge.round(kind, seconds, counts=True)
        costs = {
            "time_cost": [without / with_log for with_log, without in zip(logging.rates, silent.rates, strict=True)],
            "cpu_cost": [with_log / without for with_log, without in zip(logging.cpu_us, silent.cpu_us, strict=True)],
        }
        found[kind] = {
            "requests_per_second": [round(statistics.median(each.rates)) for each in (logging, silent)],
            "cpu_us": [round(statistics.median(each.cpu_us), 1) for each in (logging, silent)],
            **{name: round(statistics.median(ratios) - 1, 4) for name, ratios in costs.items()},
        }
    return found


async def _store(settings: Settings) -> None:
    async with open_stores(settings) as stores:
        await stores.published.ensure_bucket()
        for key, size in FILES.items():
            await stores.published.put(key, bytes(size), content_type="video/iso.segment")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as name:
        folder = Path(name)
        with_log = make_test_settings(folder / "with-log")
        without = make_test_settings(
            folder / "without-log",
            published_url=with_log.published,
            objects_url=with_log.objects,
            edge_log_share=0,
            s3_edge_access_key=with_log.s3_edge_access_key,
            s3_edge_secret_key=with_log.s3_edge_secret_key,
        )
        with (
            running(local_engines.seaweedfs(with_log), with_log.state),
            running(edges.edge(with_log, 1), with_log.state) as logging,
            running(edges.edge(without, 1), without.state) as silent,
        ):
            asyncio.run(_store(with_log))
            found = asyncio.run(
                measure(
                    Edge(with_log, logging.pid),
                    Edge(without, silent.pid),
                    rounds=asked.rounds,
                    seconds=asked.seconds,
                )
            )
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
