"""Default numbers of processes, which follow from the cores that this process may use."""

import os


def cores() -> int:
    """One for each core."""
    return len(os.sched_getaffinity(0))


def api_processes() -> int:
    """Two, so that one can be lost or restarted; one where both would share a core."""
    return min(2, cores())
