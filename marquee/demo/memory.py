"""What the whole platform weighs: the proportional set size of every process, so that shared pages count once."""

import contextlib

import psutil

from marquee.platform.leftovers import of_platform
from marquee.platform.state import run_folder
from marquee.settings import Settings


def memory_of_platform(settings: Settings) -> dict[str, object]:
    """Total bytes, and the largest process by name."""
    sizes: list[tuple[int, str]] = []
    for pid in of_platform(run_folder(settings)):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            sizes.append((process.memory_full_info().pss, " ".join(process.cmdline())[:80] or process.name()))
    largest = max(sizes, default=(0, ""))
    return {
        "memory_idle_mb": round(sum(size for size, _ in sizes) / 1e6),
        "memory_largest_mb": round(largest[0] / 1e6),
        "memory_largest_process": largest[1],
        "processes": len(sizes),
    }
