"""Sets limits on its own process, then replaces itself by a media program (exec). `process` runs this file by its path.

Arguments: the parent's pid, address space in bytes (0: no limit), niceness, then the program and its arguments.
The program dies with its parent, even if the parent is killed with SIGKILL (PDEATHSIG). It leaves no core file, gains no
rights from a setuid binary, and cannot allocate more memory than its limit.
The sandbox is an interpreter of its own, which costs 10 ms, because `preexec_fn` may deadlock in a process that has threads.
"""

import ctypes
import os
import resource
import sys

SIGKILL = 9
"""The module `signal` costs 5 ms to import, half as much as the interpreter: a film has many programs."""
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
NOT_STARTED = 127
"""Exit code of a program that could not be started, as in a shell. ffmpeg itself never ends with 127."""


def main(arguments: list[str]) -> None:
    """Set the limits and exec the program. Returns only by an exit: 127 where the program cannot be started."""
    parent, memory_bytes, niceness = (int(value) for value in arguments[:3])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # the parent died before PDEATHSIG was set
        os.kill(os.getpid(), SIGKILL)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if niceness:
        os.nice(niceness)
    try:
        os.execv(arguments[3], arguments[3:])  # noqa: S606 - an argument list, never a shell
    except OSError as error:
        sys.stderr.write(f"{arguments[3]}: {error.strerror}\n")
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main(sys.argv[1:])
