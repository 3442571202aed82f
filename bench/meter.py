"""Processor time of processes over what they did meanwhile: what `bench.costs` measures everything with.

It counts what a server's children used as well, those that have ended too: PostgreSQL alone is a process a connection.
"""

import contextlib
from collections.abc import Callable

import psutil

from bench.api import Load

Costs = dict[str, float]


class Meter:
    """Processor seconds of processes and all that they started, since it was made."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._before = self._total()

    def _total(self) -> float:
        total = 0.0
        for process in self._processes:
            # Of children that have ended the kernel has told their parent.
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += sum(each.cpu_times()[:4])
        return total

    def micros(self, units: float) -> float:
        """Microseconds a unit."""
        return round(1e6 * (self._total() - self._before) / units, 2)


async def of_requests(load: Load, seconds: float, pids: dict[str, list[int]], counted: Callable[[], int]) -> Costs:
    """Microseconds of each process a request."""
    await load.rate(seconds)  # connections, caches, and what Java compiles
    before, meters = counted(), {name: Meter(*each) for name, each in pids.items()}
    await load.rate(seconds)
    units = counted() - before
    return {f"{name}_cpu_us": meter.micros(units) for name, meter in meters.items()}
