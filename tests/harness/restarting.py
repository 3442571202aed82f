"""A server for one test, which the test kills with SIGKILL and starts again on its data."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from tests.harness.servers import make_test_settings, running


class RestartingNodes:
    """Nodes of a cluster on this machine by index, each with the folder of its log. `stop` ends the running ones."""

    def __init__(self, programs: Sequence[tuple[Program, Path]], *, seconds: float) -> None:
        self._programs = programs
        self._seconds = seconds
        self._stack = contextlib.ExitStack()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    async def start(self, place: int) -> None:
        """Returns once it answers."""
        program, folder = self._programs[place]

        def enter() -> subprocess.Popen[bytes]:
            return self._stack.enter_context(running(program, folder, seconds=self._seconds))

        self._processes[place] = await asyncio.to_thread(enter)

    def kill(self, place: int) -> None:
        self._processes[place].kill()
        self._processes[place].wait()

    async def stop(self) -> None:
        await asyncio.to_thread(self._stack.close)


class RestartingServer:
    """`async with RestartingServer(engines.valkey_log, folder) as server:` has it running; `settings` say where."""

    def __init__(self, program: Callable[[Settings], Program], folder: Path) -> None:
        self.settings = make_test_settings(folder)
        self._program = program
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> "RestartingServer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stack.close)

    async def start(self) -> None:
        """Returns once it answers."""

        def enter() -> subprocess.Popen[bytes]:
            return self._stack.enter_context(running(self._program(self.settings), self._folder))

        self._process = await asyncio.to_thread(enter)

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
