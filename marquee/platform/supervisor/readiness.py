"""Waits until started programs are ready, and says what a program lacks that does not become ready.

`supervision` and `rolling` start programs and wait here. A program is ready when its probe returns. It is given up after
GIVE_UP_AFTER_PROCESSES processes that ended, or after its `ready_seconds`; the error shows the end of its log.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from marquee.errors import PlatformUnavailable
from marquee.platform.state import log_file
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervisord import POLL_SECONDS, ProcessState, Supervisor
from marquee.settings import Settings

GIVE_UP_AFTER_PROCESSES = 3
"""Processes of one program that may end during a start. Then the start fails and shows the end of the program's log."""
MAX_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class PlatformEvent:
    """Progress of a start or stop: what happened to a program or a step of preparation. `seconds`: how long it took."""

    kind: Literal["starting", "ready", "prepared", "already-running", "stopping", "stopped"]
    name: str
    seconds: float = 0.0


OnEvent = Callable[[PlatformEvent], None]


class StatePoller:
    """The states of all programs, cached for POLL_SECONDS: one call to the supervisor serves all waiting tasks."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._asking = asyncio.Lock()
        self._asked_at = 0.0
        self._found: dict[str, ProcessState] = {}

    async def process(self, name: str) -> ProcessState:
        """One program's state, at most POLL_SECONDS old. Raises `PlatformUnavailable` for an unknown program."""
        async with self._asking:
            if time.monotonic() - self._asked_at > POLL_SECONDS:
                self._found = {process.name: process for process in await self._supervisor.all_processes()}
                self._asked_at = time.monotonic()
        if name not in self._found:
            raise PlatformUnavailable(f"This platform runs no program {name}.")
        return self._found[name]


@asynccontextmanager
async def raise_first_of_group() -> AsyncIterator[None]:
    """Raise the first error of an exception group. The others were only waiting for the program that failed."""
    try:
        yield
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


async def await_all(supervisor: Supervisor, settings: Settings, programs: Sequence[Program], on_event: OnEvent) -> None:
    """Wait until every program is ready. Raises as `await_program` does."""
    states = StatePoller(supervisor)
    async with raise_first_of_group(), asyncio.TaskGroup() as tasks:
        for program in programs:
            tasks.create_task(await_program(states, settings, program, on_event))


async def await_program(states: StatePoller, settings: Settings, program: Program, on_event: OnEvent) -> None:
    """Wait until a started program is ready. Raises `PlatformUnavailable` with the end of its log if it does not become ready."""
    began = time.monotonic()
    seen: set[int] = set()
    while True:
        process = await states.process(program.name)
        seen.add(process.pid)
        error = await _unready(program, process)
        waited = time.monotonic() - began
        if error is None:
            on_event(PlatformEvent("prepared" if program.one_shot else "ready", program.name, waited))
            return
        given_up = program.one_shot and process.state == "exited"
        if given_up or len(seen - {0}) >= GIVE_UP_AFTER_PROCESSES or waited > program.ready_seconds:
            raise PlatformUnavailable(_start_failure(settings, program, process, error, waited)) from error
        await asyncio.sleep(min(MAX_PAUSE_SECONDS, POLL_SECONDS + waited / 10))


async def _unready(program: Program, process: ProcessState) -> Exception | None:
    """Why a program is not ready yet; None if it is ready."""
    if program.one_shot:
        ended_well = process.state == "exited" and process.exit_code == 0
        return None if ended_well else PlatformUnavailable(f"{program.name} is {process.state}")
    if process.state not in ("running", "starting"):
        return PlatformUnavailable(f"{program.name} is {process.state}")
    try:
        await asyncio.wait_for(program.ready(), PROBE_SECONDS * 2)
    except Exception as reason:
        return reason
    return None


def _start_failure(settings: Settings, program: Program, process: ProcessState, error: Exception, waited: float) -> str:
    log = log_file(settings, program.name)
    tail = log_tail(log)
    why = f" ({error!r})" if process.state == "running" else ""
    return f"{program.name} is {process.state} and did not become ready in {waited:.0f} s{why}; {log} ends:\n{tail}"


def log_tail(log: Path, *, lines: int = 12) -> str:
    """The last lines of a log."""
    if not log.exists():
        return "(nothing)"
    return "\n".join(log.read_bytes()[-4000:].decode(errors="replace").splitlines()[-lines:])
