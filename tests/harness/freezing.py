"""Servers that hang: every process of one is stopped by SIGSTOP. It keeps its sockets, and answers nothing."""

import contextlib
from collections.abc import Iterator

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
    try:
        yield
    finally:
        for each in reversed(stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()
