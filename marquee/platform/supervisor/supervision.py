"""Starting and stopping a whole platform: `start`, `stop`, and what happens in between as events for whoever shows it.

A start is: state folder, ports, supervisor, then every program as soon as those that it needs answer (`Program.after`).
A start that fails stops what it started. A stop goes backwards by stage and leaves no process.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from marquee.errors import PlatformUnavailable
from marquee.platform.hosts import check_needed
from marquee.platform.programs.applications import preparation
from marquee.platform.state import alone, bootstrap, bootstrap_folders, check_disk, log_file, run_folder
from marquee.platform.supervisor import leftovers
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervisord import (
    ASK_AGAIN_SECONDS,
    ProcessState,
    Supervisor,
    launch,
    write_configuration,
)
from marquee.platform.topology import check_ports, parts, platform_programs
from marquee.settings import Settings, load_settings

__all__ = ["PlatformEvent", "ProcessState", "Supervisor", "run_programs", "start", "stop"]

SUPERVISOR_SECONDS = 15.0
GIVE_UP_AFTER_PROCESSES = 3
"""A program that ended this often during a start will not come: its last words are better than waiting."""
MAX_PAUSE_SECONDS = 0.5
ENDED = ("stopped", "exited", "fatal")


@dataclass(frozen=True)
class PlatformEvent:
    """Something happened to a program or a step of preparation. `seconds` is what it took."""

    kind: Literal["starting", "ready", "prepared", "already-running", "stopping", "stopped"]
    name: str
    seconds: float = 0.0


OnEvent = Callable[[PlatformEvent], None]


def _nobody_listens(_: PlatformEvent) -> None:
    return None


async def start(
    settings: Settings | None = None, *, on_event: OnEvent = _nobody_listens, tied: bool = False
) -> Settings:
    """Start everything that is not running, and return the settings with this platform's secrets.

    On a running platform it says so and waits until every program answers. With `tied`, everything stops when the
    calling process ends, however it ends. With `settings.only`, this is one host of a platform that is prepared
    elsewhere: nothing is, and no secret is made. Raises `PlatformUnavailable` with the remedy; then nothing is left running.
    """
    found = settings or load_settings()
    if found.only:
        bootstrap_folders(found)
        check_disk(found)
        check_needed(found, {part.name for part in parts(found)})
    else:
        found = bootstrap(found)

    def programs() -> list[Program]:
        return [*([] if found.only else [preparation(found)]), *platform_programs(found)]

    await run_programs(found, programs, check=lambda: check_ports(found), on_event=on_event, tied=tied)
    return found


async def run_programs(
    settings: Settings,
    make_programs: Callable[[], Sequence[Program]],
    *,
    check: Callable[[], None],
    on_event: OnEvent = _nobody_listens,
    tied: bool = False,
) -> None:
    """Start programs under a supervisor whose folders lie in `settings.state`, and wait until every one answers.

    `check` is asked before they are made, and not where they run already. Raises as `start` does.
    """
    with alone(settings):
        supervisor = Supervisor(settings)
        if await supervisor.pid() is not None:
            on_event(PlatformEvent("already-running", settings.state.name))
            await _await_all(supervisor, settings, make_programs(), on_event)
            return
        # A supervisor that was killed may have left programs on their way out.
        await asyncio.to_thread(leftovers.end, leftovers.of_platform(run_folder(settings)), grace_seconds=10)
        check()
        programs = make_programs()
        process = launch(settings, write_configuration(settings, programs), tied=tied)
        try:
            await _await_supervisor(supervisor, settings, process)
            await _start_programs(supervisor, settings, programs, on_event)
        except BaseException:
            await _stop(settings, _nobody_listens)
            raise


async def stop(settings: Settings | None = None, *, on_event: OnEvent = _nobody_listens) -> bool:
    """Stop everything in reverse order and end what was left behind; False where nothing was running."""
    settings = settings or load_settings()
    if not run_folder(settings).is_dir():
        return False
    with alone(settings):
        return await _stop(settings, on_event)


async def _start_programs(
    supervisor: Supervisor, settings: Settings, programs: Sequence[Program], on_event: OnEvent
) -> None:
    """All at once, but for what a program waits for: those named in its `after`, and the modules that it is to find.

    The supervisor imports for one program after the other, so that the first ones start while it imports for the last.
    """
    ready = {program.name: asyncio.Event() for program in programs}
    preloaded = {program.name: asyncio.Event() for program in programs}
    view = _View(supervisor)

    async def launched(program: Program) -> None:
        on_event(PlatformEvent("starting", program.name))
        await supervisor.start(program.name)

    async def one(program: Program) -> None:
        if program in waiting:
            await preloaded[program.name].wait()
            for name in program.after:
                if name in ready:
                    await ready[name].wait()
            await launched(program)
        await _await_program(view, settings, program, on_event)
        ready[program.name].set()

    waiting = [program for program in programs if program.imports or program.after]
    async with _first_failure(), asyncio.TaskGroup() as tasks:
        for program in programs:
            if program not in waiting:
                await launched(program)
            tasks.create_task(one(program))
        # Only now: a supervisor that imports takes its time to answer.
        for program in waiting:
            if program.imports:
                await supervisor.preload(program.name, program.imports)
            preloaded[program.name].set()
    # A program that answers within its first second is not yet "running" to supervisord.
    while any(process.state == "starting" for process in await supervisor.processes()):  # noqa: ASYNC110  (it has no event)
        await asyncio.sleep(ASK_AGAIN_SECONDS)


class _View:
    """What the supervisor sees, asked for once however many programs are waited for."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._asking = asyncio.Lock()
        self._asked_at = 0.0
        self._found: dict[str, ProcessState] = {}

    async def process(self, name: str) -> ProcessState:
        """One program's state, at most ASK_AGAIN_SECONDS old. Raises `PlatformUnavailable` where this platform runs no such."""
        async with self._asking:
            if time.monotonic() - self._asked_at > ASK_AGAIN_SECONDS:
                self._found = {process.name: process for process in await self._supervisor.all_processes()}
                self._asked_at = time.monotonic()
        if name not in self._found:
            raise PlatformUnavailable(f"This platform runs no program {name}.")
        return self._found[name]


@asynccontextmanager
async def _first_failure() -> AsyncIterator[None]:
    """Of a group of failures the first is the reason; the others were waiting."""
    try:
        yield
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


async def _await_all(
    supervisor: Supervisor, settings: Settings, programs: Sequence[Program], on_event: OnEvent
) -> None:
    view = _View(supervisor)
    async with _first_failure(), asyncio.TaskGroup() as tasks:
        for program in programs:
            tasks.create_task(_await_program(view, settings, program, on_event))


async def _await_program(view: _View, settings: Settings, program: Program, on_event: OnEvent) -> None:
    began = time.monotonic()
    seen: set[int] = set()
    while True:
        process = await view.process(program.name)
        seen.add(process.pid)
        error = await _unready(program, process)
        waited = time.monotonic() - began
        if error is None:
            on_event(PlatformEvent("prepared" if program.one_shot else "ready", program.name, waited))
            return
        given_up = program.one_shot and process.state == "exited"
        if given_up or len(seen - {0}) >= GIVE_UP_AFTER_PROCESSES or waited > program.ready_seconds:
            raise PlatformUnavailable(_last_words(settings, program, process, error, waited)) from error
        await asyncio.sleep(min(MAX_PAUSE_SECONDS, ASK_AGAIN_SECONDS + waited / 10))


async def _unready(program: Program, process: ProcessState) -> Exception | None:
    """Why a program is not ready yet; None: it is."""
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


def _last_words(settings: Settings, program: Program, process: ProcessState, error: Exception, waited: float) -> str:
    log = log_file(settings, program.name)
    tail = _tail(log)
    why = f" ({error!r})" if process.state == "running" else ""
    return f"{program.name} is {process.state} and did not become ready in {waited:.0f} s{why}; {log} ends:\n{tail}"


def _tail(log: Path, *, lines: int = 12) -> str:
    if not log.exists():
        return "(nothing)"
    return "\n".join(log.read_bytes()[-4000:].decode(errors="replace").splitlines()[-lines:])


async def _await_supervisor(supervisor: Supervisor, settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SUPERVISOR_SECONDS
    while await supervisor.pid() is None:
        if process.poll() is not None or time.monotonic() > deadline:
            log = log_file(settings, "supervisord-start")
            raise PlatformUnavailable(f"The supervisor did not start; {log} ends:\n{_tail(log)}")
        await asyncio.sleep(ASK_AGAIN_SECONDS)


async def _stop(settings: Settings, on_event: OnEvent) -> bool:
    supervisor = Supervisor(settings)
    pid = await supervisor.pid()
    if pid is not None:
        await _stop_programs(supervisor, on_event)
        # It has nothing left to do; asked to shut down it would go through its stopped programs, one a second.
        await asyncio.to_thread(leftovers.end, [pid])
    left = leftovers.of_platform(run_folder(settings))
    # Without a supervisor its programs are on their way out; else only strays are left, such as a run of Dagster.
    await asyncio.to_thread(leftovers.end, left, grace_seconds=10 if pid is None else 0)
    supervisor.socket.unlink(missing_ok=True)
    return pid is not None or bool(left)


async def _stop_programs(supervisor: Supervisor, on_event: OnEvent) -> None:
    """Backwards by stage; of one stage all at once."""
    processes = sorted(await supervisor.processes(), key=lambda process: -process.stage)
    for _, stage in groupby(processes, key=lambda process: process.stage):
        stopping = {process.name for process in stage if process.state not in ENDED}
        began = time.monotonic()
        for name in sorted(stopping):
            on_event(PlatformEvent("stopping", name))
            await supervisor.stop(name)
        while stopping:
            for process in await supervisor.processes():
                if process.name in stopping and process.state in ENDED:
                    stopping.discard(process.name)
                    on_event(PlatformEvent("stopped", process.name, time.monotonic() - began))
            await asyncio.sleep(ASK_AGAIN_SECONDS)
