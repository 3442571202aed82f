"""Runs before a media program, in its process: limits first, then exec. Run by `process`, by its path.

Arguments: parent pid, address space in bytes (0: no limit), niceness, then the program and its arguments. A program
started so dies with its parent, even if that was killed with SIGKILL (PDEATHSIG), leaves no core file, gains no rights
by what it starts, and cannot take more memory than it was given. A separate 10 ms interpreter instead of
`preexec_fn`, which may deadlock in a process that has threads.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
NOT_STARTED = 127
"""The exit code where the program could not be started, as of a shell; ffmpeg has none like it."""


def main(arguments: list[str]) -> None:
    parent, memory_bytes, niceness = (int(value) for value in arguments[:3])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
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
