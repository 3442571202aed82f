"""What runs now, for `marquee status`: each program's state, uptime, memory and port.

The states come from the supervisor. Memory is the proportional set size (PSS) of a program and its children: forked programs
share pages, and PSS counts each shared page once over the whole platform.
"""

import contextlib
import time
from dataclasses import dataclass

import psutil

from marquee.platform.supervisor.supervisord import Supervisor
from marquee.platform.topology import parts
from marquee.ports import MAX_API_PROCESSES, api_port_name
from marquee.settings import Settings


@dataclass(frozen=True)
class ObservedProcess:
    """One row of `marquee status`. `port` is None for a program that does not listen. `pid` is 0 for one that is not running."""

    name: str
    state: str
    pid: int
    uptime_seconds: int
    memory_bytes: int
    port: int | None


async def observe(settings: Settings) -> list[ObservedProcess]:
    """The supervisor, then every program in stage order. Raises `PlatformUnavailable` if the platform is not running."""
    supervisor = Supervisor(settings)
    processes = await supervisor.processes()
    ports = {part.name: settings.port(part.ports[0]) for part in parts(settings) if part.ports}
    ports |= {f"api-{number}": settings.port(api_port_name(number)) for number in range(1, MAX_API_PROCESSES + 1)}
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
    """Memory (PSS, bytes) of a process and its descendants; 0 for a process that has ended."""
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
