"""Processor time of processes divided by the work that they did: the meter of everything in `bench.costs`.

Child processes count too, also those that have ended: PostgreSQL, for example, has one process a connection.
"""

import contextlib
from collections.abc import Callable

import psutil

from bench.api import Load

Costs = dict[str, float]


class Meter:
    """Processor seconds of the processes `pids` and of all their children, since the meter was made."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._before = self._total()

    def _total(self) -> float:
        total = 0.0
        for process in self._processes:
            # The kernel adds the time of ended children to their parent.
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += sum(each.cpu_times()[:4])
        return total

    def micros(self, units: float) -> float:
        """Microseconds for each of `units`."""
        return round(1e6 * (self._total() - self._before) / units, 2)


async def of_requests(load: Load, seconds: float, pids: dict[str, list[int]], counted: Callable[[], int]) -> Costs:
    """Microseconds of each process for each request of `load`, after a warm-up of `seconds`."""
    await load.rate(seconds)  # warm-up: connections, caches, Java's compiler
    before, meters = counted(), {name: Meter(*each) for name, each in pids.items()}
    await load.rate(seconds)
    units = counted() - before
    return {f"{name}_cpu_us": meter.micros(units) for name, meter in meters.items()}
