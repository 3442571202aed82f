"""The launcher of every supervised process: `... [OPTIONS] -- PROGRAM ARGUMENTS...` (see `program.launcher`).

It sets what the options say, then replaces itself by the program (`execve`):
PR_SET_PDEATHSIG: the kernel signals the process when its parent ends, so a supervisor killed with SIGKILL leaves no orphan.
The signal is SIGTERM, with `--interrupt` SIGINT, with `--detached` there is none. `--mark FILE` identifies the program: the
launcher ends what an earlier process of the same mark left behind, unless `--children-outlive` is given. `--unprivileged`, as
root: the process enters a user namespace where it is an ordinary user, because PostgreSQL and Elasticsearch refuse root. A
change to the account `nobody` would need access for others to every folder above the state folder; a namespace does not.
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
    """Have the kernel send this process a signal when its parent ends, also when the parent is killed."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended between the two calls: the kernel sends no signal
        os.kill(os.getpid(), signal_number)


def become_unprivileged() -> None:
    """Enter a user namespace where root is user 1000. Does nothing for any other user.

    Raises `OSError` where the kernel forbids user namespaces; the remedy is to run as an ordinary user.
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
    """Set the name that `ps` and `top` show for this process. The kernel keeps 15 bytes."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split `[OPTIONS] -- PROGRAM ARGUMENTS...` into options and command. Raises `ValueError` without the `--`."""
    at = list(arguments).index("--")
    return list(arguments[:at]), list(arguments[at + 1 :])


def apply_options(options: Sequence[str]) -> None:
    """Apply the launcher's options to this process. The caller then runs the program."""
    if "--mark" in options:
        mark = Path(options[options.index("--mark") + 1])
        if "--children-outlive" not in options:
            leftovers.end(leftovers.of_program(mark))
        leftovers.record(mark)
        os.environ[leftovers.MARK] = str(mark)
    if "--unprivileged" in options:
        become_unprivileged()
    # SIGINT is PostgreSQL's fast shutdown. On SIGTERM it waits until every client has disconnected.
    if "--detached" not in options:
        die_with_parent(signal.SIGINT if "--interrupt" in options else signal.SIGTERM)


def main() -> None:
    """Apply the options of the command line and replace this process by the program."""
    try:
        options, command = split(sys.argv[1:])
    except ValueError:
        sys.exit(
            "usage: launch [--unprivileged] [--interrupt] [--detached] [--mark FILE] [--children-outlive] -- PROGRAM ARGUMENTS..."
        )
    apply_options(options)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
