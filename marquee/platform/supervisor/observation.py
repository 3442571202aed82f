"""What runs now, as `marquee status` shows it: the supervisor's view, with each program's memory and port.

Memory is the proportional set size of a program and its children, so that shared pages count once over the platform.
"""

import contextlib
import time
from dataclasses import dataclass

import psutil

from marquee.platform.supervisor.supervisord import Supervisor
from marquee.platform.topology import parts
from marquee.settings import Settings


@dataclass(frozen=True)
class ObservedProcess:
    name: str
    state: str
    pid: int
    uptime_seconds: int
    memory_bytes: int
    port: int | None


async def observe(settings: Settings) -> list[ObservedProcess]:
    """Every program in starting order, after the supervisor. Raises `PlatformUnavailable` when nothing runs."""
    supervisor = Supervisor(settings)
    processes = await supervisor.processes()
    ports = {part.name: settings.port(part.ports[0]) for part in parts(settings) if part.ports}
    own = await supervisor.pid() or 0
    observed = [ObservedProcess("supervisor", "running", own, _uptime(own), memory(own, children=False), None)]
    observed += [
        ObservedProcess(
            process.name,
            process.state,
            process.pid,
            process.uptime_seconds,
            memory(process.pid),
            ports.get(process.name),
        )
        for process in processes
    ]
    return observed


def memory(pid: int, *, children: bool = True) -> int:
    """Bytes of a process and its descendants; 0 when it is gone."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid) if pid else None
        family = [process, *process.children(recursive=children)] if process and children else [process]
        for each in family:
            with contextlib.suppress(psutil.Error):
                total += each.memory_full_info().pss if each else 0
    return total


def _uptime(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(time.time() - psutil.Process(pid).create_time())
    return 0
