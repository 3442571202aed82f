"""Runs a job or dbt as a process of its own, with a time limit. Its output goes to the step's logs in Dagster.

The process ends with the run, also when that is killed (`marquee.media.programs.sandbox`), and with it all that it started.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from marquee.media.programs import sandbox

STOP_SECONDS: Final = 10.0
NICENESS: Final = 10
"""Below every engine and the API: a viewer's request goes before a batch."""


def run_to_end(command: Sequence[str], *, environment: Mapping[str, str], timeout_seconds: float) -> int:
    """Run a command to its end; returns its exit code. Raises `dagster.Failure` when its time is up."""
    launcher = [sys.executable, "-I", "-S", str(Path(sandbox.__file__)), str(os.getpid()), "0", str(NICENESS)]
    sys.stdout.flush()
    process = subprocess.Popen(
        [*launcher, *command],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(timeout_seconds)
    except subprocess.TimeoutExpired as error:
        raise dg.Failure(
            description=f"{' '.join(command[1:4])} was stopped after its time limit of {timeout_seconds:.0f} s."
        ) from error
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and what it started: first by SIGTERM, which lets Spark remove its files."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
