"""What every supervised process is started through: it dies with its parent, and an engine that refuses root is not root.

`... [OPTIONS] -- PROGRAM ARGUMENTS...` (see `program.launcher`) sets PR_SET_PDEATHSIG, so that a supervisor killed with
SIGKILL leaves no orphan (`--interrupt`: by SIGINT, `--detached`: not at all), ends what an earlier incarnation of the
program marked by `--mark FILE` left behind (`--children-outlive`: lets it go on), then replaces itself by the program.
With `--unprivileged`, as root, it first enters a user namespace in which it is an ordinary user (PostgreSQL and
Elasticsearch refuse root): unlike a change to `nobody`, that needs no access for others to the folders above the state
folder. Elsewhere it does nothing.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from marquee.platform.supervisor import leftovers

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
CLONE_NEWUSER = 0x10000000
UNPRIVILEGED_ID = 1000


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask the kernel to signal this process when its parent ends, however the parent ends."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended between the two calls
        os.kill(os.getpid(), signal_number)


def become_unprivileged() -> None:
    """Enter a user namespace where root is user 1000; a no-op for any user but root.

    Raises OSError where the kernel forbids user namespaces; the remedy is to run as an ordinary user.
    """
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: this kernel forbids user namespaces; start as an ordinary user")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED_ID} 0 1")
    Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED_ID} 0 1")


def name_process(name: str) -> None:
    """How `ps` and `top` call this process; the kernel keeps 15 bytes."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options and the command of `[OPTIONS] -- PROGRAM ARGUMENTS...`. Raises ValueError without the `--`."""
    at = list(arguments).index("--")
    return list(arguments[:at]), list(arguments[at + 1 :])


def enter(options: Sequence[str]) -> None:
    """Make this process what the options say; what follows is the program's own doing."""
    if "--mark" in options:
        mark = Path(options[options.index("--mark") + 1])
        if "--children-outlive" not in options:
            leftovers.end(leftovers.of_program(mark))
        leftovers.record(mark)
        os.environ[leftovers.MARK] = str(mark)
    if "--unprivileged" in options:
        become_unprivileged()
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM alone would wait for every client to leave.
    if "--detached" not in options:
        die_with_parent(signal.SIGINT if "--interrupt" in options else signal.SIGTERM)


def main() -> None:
    try:
        options, command = split(sys.argv[1:])
    except ValueError:
        sys.exit(
            "usage: launch [--unprivileged] [--interrupt] [--detached] [--mark FILE] [--children-outlive] -- PROGRAM ARGUMENTS..."
        )
    enter(options)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
