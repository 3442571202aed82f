"""Servers that hang: every process of one is stopped by SIGSTOP. It keeps its sockets, and answers nothing."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


def own_server(port: int) -> int:
    """The pid of the server that this process started and that listens on `port`."""
    for child in psutil.Process().children():
        for each in (child, *child.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                listeners = (one for one in each.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
                if any(one.laddr.port == port for one in listeners):
                    return child.pid
    raise LookupError(f"no server of this process listens on {port}")


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The server and its processes hang in the block, and go on after it."""
    server = psutil.Process(pid)
    server.suspend()  # first, so that it starts no process meanwhile
    stopped = [server, *server.children(recursive=True)]
    for each in stopped[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.suspend()
    for each in stopped:
        _wait_until_stopped(each.pid)
    try:
        yield
    finally:
        for each in reversed(stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()


def _wait_until_stopped(pid: int) -> None:
    """SIGSTOP returns before the threads on other cores have stopped: one of them may still answer a request."""
    gives_up = time.monotonic() + 10
    while any(state not in "TtZX" for state in _thread_states(pid)):
        assert time.monotonic() < gives_up, f"process {pid} goes on after SIGSTOP"


def _thread_states(pid: int) -> list[str]:
    """The state letters of a process's threads, by proc(5); none if it has ended."""
    states = []
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            states.append(thread.read_text().rpartition(")")[2].split()[0])
    return states
