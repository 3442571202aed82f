"""Processes that outlived their program: how they are found and ended, and the guard process.

A program killed with SIGKILL cannot stop its children: nginx's workers keep the port, an encoder keeps its cpu. The next start
of the program ends them first (`launch`). If the supervisor is killed, the kernel sends SIGTERM to every program; the guard
survives, waits GRACE_SECONDS and kills what still runs. A process belongs to a program by its process group, recorded in
`{run folder}/{program}.pid`, or by the mark in its environment. Both are needed: some programs overwrite their environment,
others leave the group. Standard library only, because every launched process imports this module.
"""

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

MARK = "MARQUEE_SUPERVISED"
GRACE_SECONDS = 15.0


def started_at(pid: int) -> str | None:
    """A process's start time in kernel ticks. Together with the pid it identifies a process for ever. None: no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def record(mark: Path) -> None:
    """Write this process, which leads its process group, into the program's .pid file as its current process."""
    pid = os.getpid()
    mark.with_suffix(".pid").write_text(f"{pid} {started_at(pid)}")


def of_program(mark: Path) -> list[int]:
    """Pids of every live process of a program except this one."""
    return [pid for pid in _matching([mark], exactly=True) if pid != os.getpid()]


def of_platform(run_folder: Path) -> list[int]:
    """Pids of every live process of the platform that has this run folder."""
    marks = [path.with_suffix("") for path in run_folder.glob("*.pid")]
    return _matching(marks or [run_folder / "none"], exactly=False)


def _matching(marks: list[Path], *, exactly: bool) -> list[int]:
    groups = {group for mark in marks if (group := _recorded_group(mark)) is not None}
    wanted = f"{MARK}={marks[0] if exactly else marks[0].parent}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        with contextlib.suppress(OSError):
            if os.getpgid(pid) in groups or _has_mark(pid, wanted, exactly=exactly):
                found.append(pid)
    return [pid for pid in found if started_at(pid) is not None]


def _has_mark(pid: int, wanted: bytes, *, exactly: bool) -> bool:
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return any(each == wanted or (not exactly and each.startswith(wanted + b"/")) for each in variables)


def _recorded_group(mark: Path) -> int | None:
    """The process group of a program's last process. None if it is not recorded or its number is in use by another process."""
    try:
        pid, started = mark.with_suffix(".pid").read_text().split()
    except (OSError, ValueError):
        return None
    # The kernel does not reuse a group's number while the group has members. Without a leader the members are orphans.
    now = started_at(int(pid))
    return int(pid) if now is None or now == started else None


def end(pids: list[int], *, grace_seconds: float = 0.0) -> None:
    """Wait `grace_seconds` for these processes to end, SIGKILL the rest, and wait at most 5 s for their end."""
    handles: dict[int, int] = {}
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                handles[os.pidfd_open(pid)] = pid
        _wait(set(handles), grace_seconds)
        for handle in handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        _wait(set(handles), 5.0)
    finally:
        for handle in handles:
            os.close(handle)


def _wait(handles: set[int], seconds: float) -> None:
    poller = select.poll()
    for handle in handles:
        poller.register(handle, select.POLLIN)
    waiting = set(handles)
    deadline = time.monotonic() + seconds
    while waiting and (left := deadline - time.monotonic()) > 0:
        for handle, _ in poller.poll(left * 1000):
            poller.unregister(handle)
            waiting.discard(handle)


def guard() -> None:
    """The guard's main: wait until the supervisor (the parent process) ends, then end every process that it left behind."""
    run_folder = Path(sys.argv[1])
    supervisor = os.getppid()
    record(run_folder / "guard")
    try:
        handle = os.pidfd_open(supervisor)
    except ProcessLookupError:
        handle = -1
    if handle >= 0 and os.getppid() == supervisor:
        select.select([handle], [], [])
    # Twice: the supervisor may have been launching a program when it was killed.
    for grace_seconds in (GRACE_SECONDS, 0.0):
        end([pid for pid in of_platform(run_folder) if pid != os.getpid()], grace_seconds=grace_seconds)
