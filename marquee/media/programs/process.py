"""The one place that starts a media program and waits for its end.

Every run has a time-out, and may have a memory limit and a niceness. The program's environment holds no secret. Cancelling the
caller, or killing this process, kills the program and its children too. ffmpeg's machine-readable progress arrives as
`Progress`. The last 8 KiB of stderr are kept, because ffmpeg's own words tell a person what went wrong. The command is
logged at debug level, quoted so that it can be pasted into a shell. CPU seconds come from the kernel (wait4): they
include every thread, and are right for failed runs too. `sandbox` sets the limits inside the child.
"""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from marquee.errors import ProcessFailed, ProcessLost, ProcessTimedOut
from marquee.logs import get_logger
from marquee.media.programs.sandbox import NOT_STARTED

STDERR_TAIL_BYTES: Final = 8 * 1024
MAX_STDOUT_BYTES: Final = 256 * 1024**2
MAX_LINE_BYTES: Final = 4096
"""Longer lines are cut at this length: ffmpeg prints whole SEI payloads as hexadecimal."""
_SANDBOX: Final = Path(__file__).with_name("sandbox.py")
_LOST_EXIT_CODES: Final = (-signal.SIGKILL, -signal.SIGTERM, NOT_STARTED)
"""Exit codes of a program that was ended from outside or never started. They say nothing about its input."""
_ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}

log = get_logger()

LineHandler = Callable[[str], None]


class Progress(msgspec.Struct, frozen=True):
    """One report of ffmpeg's `-progress`. A value that ffmpeg does not know yet is None. `speed` 1.0 is real time."""

    frame: int = 0
    out_seconds: float | None = None
    speed: float | None = None


class Finished(msgspec.Struct, frozen=True):
    """A program that ended with code 0. `stdout` is empty where the caller took it line by line."""

    stdout: bytes
    stderr_tail: str
    cpu_seconds: float
    wall_seconds: float


async def run(
    argv: Sequence[str | Path],
    *,
    timeout_seconds: float,
    memory_bytes: int | None = None,
    nice: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    on_stderr_line: LineHandler | None = None,
    on_stdout_line: LineHandler | None = None,
    cwd: Path | None = None,
    input: bytes | None = None,
) -> Finished:
    """Run a program to its end.

    `argv` starts with the program's path. `on_progress` is for ffmpeg alone: it adds `-progress`. With `on_stdout_line`,
    stdout is passed on line by line and not collected. `input` is written to stdin. An exception raised by a callback
    kills the program and reaches the caller.

    Raises:
    - `ProcessFailed`: the exit code is not 0 (the message has the tail of stderr), or stdout exceeds 256 MiB.
    - `ProcessTimedOut`: the program still ran after `timeout_seconds` and was killed.
    - `ProcessLost`: the program was killed from outside (by the kernel for lack of memory, by a person, by a stopping
      host) or could not be started.
    """
    command = [str(argument) for argument in argv]
    program = _RunningProgram(command, memory_bytes or 0, nice, cwd, input, wants_progress=on_progress is not None)
    try:
        async with asyncio.timeout(timeout_seconds):
            await program.to_end(on_progress, on_stderr_line, on_stdout_line)
    except TimeoutError as error:
        raise ProcessTimedOut(
            f"{program.name} was stopped after its time-out of {timeout_seconds:.0f} seconds. {program.tail()}".strip()
        ) from error
    finally:
        program.close()
    if program.exit_code in _LOST_EXIT_CODES:
        raise ProcessLost(
            f"{program.name} {_how_it_ended(program.exit_code)}: {program.tail() or 'the machine may be short of memory'}"
        )
    if program.exit_code != 0:
        raise ProcessFailed(
            f"{program.name} {_how_it_ended(program.exit_code)}: {program.tail() or 'it printed no reason'}"
        )
    return Finished(bytes(program.stdout), program.tail(), program.cpu_seconds, time.monotonic() - program.started)


def _how_it_ended(exit_code: int) -> str:
    return f"was killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with code {exit_code}"


class _RunningProgram:
    """A running program: its pipes, its exit code, the CPU time it used."""

    def __init__(
        self,
        command: list[str],
        memory_bytes: int,
        nice: int,
        cwd: Path | None,
        input_bytes: bytes | None,
        *,
        wants_progress: bool,
    ) -> None:
        self.name = Path(command[0]).name
        self.stdout = bytearray()
        self.exit_code = 0
        self.cpu_seconds = 0.0
        self.started = time.monotonic()
        self._stderr: deque[str] = deque()
        self._stderr_bytes = 0
        self._ended = False
        self._progress: IO[bytes] | None = None
        write_end = -1
        if wants_progress:
            read_end, write_end = os.pipe()
            self._progress = os.fdopen(read_end, "rb", buffering=0)
            command = [command[0], "-nostats", "-progress", f"pipe:{write_end}", *command[1:]]
        log.debug("media process", command=shlex.join(command))
        sandbox = [sys.executable, "-I", "-S", str(_SANDBOX), str(os.getpid()), str(memory_bytes), str(nice)]
        try:
            with tempfile.TemporaryFile() as stdin:
                if input_bytes:
                    stdin.write(input_bytes)
                    stdin.seek(0)
                self._process = subprocess.Popen(
                    sandbox + command,
                    stdin=stdin if input_bytes is not None else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=cwd,
                    env=_ENVIRONMENT,
                    start_new_session=True,
                    pass_fds=(write_end,) if wants_progress else (),
                    bufsize=0,
                )
        finally:
            if wants_progress:
                os.close(write_end)
        self._pidfd = os.pidfd_open(self._process.pid)

    async def to_end(
        self,
        on_progress: Callable[[Progress], None] | None,
        on_stderr_line: LineHandler | None,
        on_stdout_line: LineHandler | None,
    ) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        tasks = [
            asyncio.ensure_future(self._read_stdout(self._process.stdout, on_stdout_line)),
            asyncio.ensure_future(self._read_stderr(self._process.stderr, on_stderr_line)),
            asyncio.ensure_future(self._wait()),
        ]
        if self._progress is not None and on_progress is not None:
            tasks.append(asyncio.ensure_future(_read_progress(self._progress, on_progress)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self) -> None:
        await _readable(self._pidfd)
        self._reap()

    def _reap(self) -> None:
        """Kill the program's process group, and collect its exit code and CPU time."""
        if self._ended:
            return
        os.killpg(self._process.pid, signal.SIGKILL)  # the group still exists: its leader is reaped only below
        _, status, usage = os.wait4(self._process.pid, 0)
        self._ended = True
        self.exit_code = os.waitstatus_to_exitcode(status)
        self._process.returncode = self.exit_code
        self.cpu_seconds = usage.ru_utime + usage.ru_stime

    def close(self) -> None:
        """Kill the program if it still runs, and close every descriptor."""
        self._reap()
        os.close(self._pidfd)
        for pipe in (self._process.stdout, self._process.stderr, self._progress):
            if pipe is not None:
                pipe.close()

    async def _read_stdout(self, pipe: IO[bytes], on_line: LineHandler | None) -> None:
        if on_line is not None:
            await _read_lines(pipe, on_line)
            return
        async for block in _Blocks(pipe):
            self.stdout += block
            if len(self.stdout) > MAX_STDOUT_BYTES:
                raise ProcessFailed(
                    f"{self.name} printed more than {MAX_STDOUT_BYTES} bytes to stdout and was stopped."
                )

    async def _read_stderr(self, pipe: IO[bytes], on_line: LineHandler | None) -> None:
        def keep(line: str) -> None:
            self._stderr.append(line)
            self._stderr_bytes += len(line)
            while self._stderr_bytes > STDERR_TAIL_BYTES:
                self._stderr_bytes -= len(self._stderr.popleft())
            if on_line is not None:
                on_line(line)

        await _read_lines(pipe, keep)

    def tail(self) -> str:
        """The last lines of stderr, without empty ones; at most `STDERR_TAIL_BYTES`."""
        return "\n".join(line for line in self._stderr if line.strip())


class _Blocks:
    """Iterates over the blocks of a pipe as they arrive, without a thread."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._descriptor = pipe.fileno()
        os.set_blocking(self._descriptor, False)

    def __aiter__(self) -> "_Blocks":
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                block = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                await _readable(self._descriptor)
                await asyncio.sleep(0.005)  # one wake-up for many lines: one a line took a tenth of a scan's CPU
                continue
            if not block:
                raise StopAsyncIteration
            return block


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _read_lines(pipe: IO[bytes], on_line: LineHandler) -> None:
    rest = b""
    async for block in _Blocks(pipe):
        *lines, rest = (rest + block).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            on_line(line[:MAX_LINE_BYTES].decode(errors="replace"))
        rest = rest[:MAX_LINE_BYTES]
    if rest:
        on_line(rest.decode(errors="replace"))


async def _read_progress(pipe: IO[bytes], on_progress: Callable[[Progress], None]) -> None:
    seen: dict[str, str] = {}

    def take(line: str) -> None:
        key, _, value = line.partition("=")
        seen[key.strip()] = value.strip()
        if key == "progress":
            on_progress(_progress(seen))

    await _read_lines(pipe, take)


def _progress(seen: dict[str, str]) -> Progress:
    def number(text: str | None) -> float | None:
        try:
            return float(text) if text is not None else None
        except ValueError:
            return None

    microseconds = number(seen.get("out_time_us"))
    return Progress(
        frame=int(number(seen.get("frame")) or 0),
        out_seconds=None if microseconds is None else microseconds / 1e6,
        speed=number((seen.get("speed") or "").rstrip("x")),
    )
