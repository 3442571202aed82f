"""Processes that outlived the program they belong to, and the guard that ends them.

A program killed with SIGKILL cannot stop its own children (nginx's workers keep its port, an encoder its cpu); one that
is started again first ends them. If the supervisor itself is killed, every program gets SIGTERM from the kernel (see
`launch`) and the guard, which alone survives, ends what has not gone in time. A process belongs to a program by its
process group, recorded in `{run folder}/{program}.pid`, or by the mark in its environment (some programs overwrite
their environment, others leave the group). Standard library only: this is imported by every process that is launched.
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
    """A process's start time in the kernel's ticks: with the pid, a name that is never used twice. None: it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def record(mark: Path) -> None:
    """Note this process, leader of its group, as the program's current incarnation."""
    pid = os.getpid()
    mark.with_suffix(".pid").write_text(f"{pid} {started_at(pid)}")


def of_program(mark: Path) -> list[int]:
    """Every live process of a program but this one."""
    return [pid for pid in _matching([mark], exactly=True) if pid != os.getpid()]


def of_platform(run_folder: Path) -> list[int]:
    """Every live process of a platform's programs."""
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
    """The process group of a program's last incarnation, unless its number belongs to somebody else by now."""
    try:
        pid, started = mark.with_suffix(".pid").read_text().split()
    except (OSError, ValueError):
        return None
    # The kernel gives a group's number to no new process while the group has members: no leader means its orphans.
    now = started_at(int(pid))
    return int(pid) if now is None or now == started else None


def end(pids: list[int], *, grace_seconds: float = 0.0) -> None:
    """Wait up to the grace for these processes to go by themselves, then kill them and wait for that."""
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
    """Live until the supervisor, this process's parent, ends; then end what it left behind."""
    run_folder = Path(sys.argv[1])
    supervisor = os.getppid()
    record(run_folder / "guard")
    try:
        handle = os.pidfd_open(supervisor)
    except ProcessLookupError:
        handle = -1
    if handle >= 0 and os.getppid() == supervisor:
        select.select([handle], [], [])
    # Twice: a program may have been on its way to be launched when the supervisor was killed.
    for grace_seconds in (GRACE_SECONDS, 0.0):
        end([pid for pid in of_platform(run_folder) if pid != os.getpid()], grace_seconds=grace_seconds)
