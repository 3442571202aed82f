"""How much memory the platform takes: idle, and at the peak of a piece of work. Shared pages count once (PSS)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from marquee.errors import MarqueeError
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.supervisor.observation import ObservedProcess, observe
from marquee.settings import Settings

SAMPLE_SECONDS: Final = 2.0


@dataclass
class Peak:
    """`megabytes`: the most that was seen so far. `largest`: the program that took most of it then."""

    megabytes: int = 0
    largest: str = ""


async def idle_memory(settings: Settings, engines: Sequence[Engine]) -> dict[str, object]:
    """Memory of the idle platform in MB, and its largest program: figures of the report."""
    processes = await _observed(settings, engines)
    largest = max(processes, key=lambda process: process.memory_bytes)
    return {
        "memory_idle_mb": _megabytes(processes),
        "memory_largest_mb": round(largest.memory_bytes / 1e6),
        "memory_largest_process": largest.name,
    }


@asynccontextmanager
async def peak_memory(settings: Settings, engines: Sequence[Engine]) -> AsyncIterator[Peak]:
    """Look every SAMPLE_SECONDS while the body runs. What is larger for a shorter time is not seen."""
    peak = Peak()
    looking = asyncio.create_task(_look(settings, engines, peak))
    try:
        yield peak
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def _look(settings: Settings, engines: Sequence[Engine], peak: Peak) -> None:
    while True:
        # A program that restarts at this moment is no reason to stop looking.
        with contextlib.suppress(MarqueeError, OSError):
            processes = await _observed(settings, engines)
            megabytes = _megabytes(processes)
            if megabytes > peak.megabytes:
                peak.megabytes = megabytes
                peak.largest = max(processes, key=lambda process: process.memory_bytes).name
        await asyncio.sleep(SAMPLE_SECONDS)


async def _observed(settings: Settings, engines: Sequence[Engine]) -> list[ObservedProcess]:
    return [*await observe(settings), *await instances.observe(settings, engines)]


def _megabytes(processes: Sequence[ObservedProcess]) -> int:
    return round(sum(process.memory_bytes for process in processes) / 1e6)
