"""Starts and stops a whole platform (`start`, `stop`) and reports progress as `PlatformEvent`s.

A start creates the state folder, checks the ports, starts the supervisor, then starts each program as soon as the programs in
its `after` are ready. A start that fails stops everything that it started. A stop goes through the stages from the highest to
the lowest and leaves no process. A lock in the run folder admits one start or stop at a time.
"""

import asyncio
import subprocess
import time
from collections.abc import Callable, Sequence
from itertools import groupby

from marquee.errors import PlatformUnavailable
from marquee.platform.hosts import check_needed
from marquee.platform.programs.applications import preparation
from marquee.platform.state import bootstrap, bootstrap_folders, check_disk, log_file, run_folder, start_stop_lock
from marquee.platform.supervisor import leftovers
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.readiness import (
    OnEvent,
    PlatformEvent,
    StatePoller,
    await_all,
    await_program,
    log_tail,
    raise_first_of_group,
)
from marquee.platform.supervisor.supervisord import (
    POLL_SECONDS,
    ProcessState,
    Supervisor,
    launch,
    write_configuration,
)
from marquee.platform.topology import check_ports, parts, platform_programs
from marquee.profiles import load_profile
from marquee.settings import Settings, load_settings

__all__ = ["OnEvent", "PlatformEvent", "ProcessState", "Supervisor", "run_programs", "start", "stop"]

SUPERVISOR_SECONDS = 15.0
ENDED = ("stopped", "exited", "fatal")


def _ignore_event(_: PlatformEvent) -> None:
    return None


async def start(settings: Settings | None = None, *, on_event: OnEvent = _ignore_event, tied: bool = False) -> Settings:
    """Start the platform and return the settings with its secrets.

    If the platform is running, the event "already-running" says so, and the call waits until every program is ready. `tied`:
    everything stops when the calling process ends, even by SIGKILL. With `settings.only` this is a further host of a
    platform: nothing is prepared here and no secret is made. Raises `PlatformUnavailable` with the remedy, after everything
    that was started has been stopped; `SettingsInvalid` for a setting that is missing or cannot be used.
    """
    found = settings or load_settings()
    if found.only:
        bootstrap_folders(found)
        check_disk(found)
        check_needed(found, {part.name for part in parts(found)})
    else:
        load_profile(found.profile)
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
    on_event: OnEvent = _ignore_event,
    tied: bool = False,
) -> None:
    """Start programs under the supervisor of `settings.state`, and wait until every one is ready.

    `check` is called before `make_programs`, but not where the programs already run. Raises as `start` does.
    """
    with start_stop_lock(settings):
        supervisor = Supervisor(settings)
        if await supervisor.pid() is not None:
            on_event(PlatformEvent("already-running", settings.state.name))
            programs = make_programs()
            await _check_same_programs(supervisor, programs)
            await await_all(supervisor, settings, programs, on_event)
            return
        # After a supervisor was killed its programs may still be stopping.
        await asyncio.to_thread(leftovers.end, leftovers.of_platform(run_folder(settings)), grace_seconds=10)
        check()
        programs = make_programs()
        process = launch(settings, write_configuration(settings, programs), tied=tied)
        try:
            await _await_supervisor(supervisor, settings, process)
            await _start_programs(supervisor, settings, programs, on_event)
        except BaseException:
            await _stop(settings, _ignore_event)
            raise


async def stop(settings: Settings | None = None, *, on_event: OnEvent = _ignore_event) -> bool:
    """Stop every program, highest stage first, and end leftover processes. Returns False if nothing was running."""
    settings = settings or load_settings()
    if not run_folder(settings).is_dir():
        return False
    with start_stop_lock(settings):
        return await _stop(settings, on_event)


async def _start_programs(
    supervisor: Supervisor, settings: Settings, programs: Sequence[Program], on_event: OnEvent
) -> None:
    """Start all programs concurrently. A program waits only for those in its `after` and for its `imports`.

    The supervisor imports for one program after the other: the first programs start while it imports for the next ones.
    """
    ready = {program.name: asyncio.Event() for program in programs}
    preloaded = {program.name: asyncio.Event() for program in programs}
    states = StatePoller(supervisor)

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
        await await_program(states, settings, program, on_event)
        ready[program.name].set()

    waiting = [program for program in programs if program.imports or program.after]
    async with raise_first_of_group(), asyncio.TaskGroup() as tasks:
        for program in programs:
            if program not in waiting:
                await launched(program)
            tasks.create_task(one(program))
        # Imports come last: while the supervisor imports, it answers no other call.
        for program in waiting:
            if program.imports:
                await supervisor.preload(program.name, program.imports)
            preloaded[program.name].set()
    # Supervisord reports "starting" for a program's first second, even if the program is ready.
    while any(process.state == "starting" for process in await supervisor.processes()):  # noqa: ASYNC110  (it has no event)
        await asyncio.sleep(POLL_SECONDS)


async def _check_same_programs(supervisor: Supervisor, programs: Sequence[Program]) -> None:
    """A running platform keeps the programs that it was started with, whatever the version and the settings are now."""
    running = {process.name for process in await supervisor.all_processes()}
    if missing := [program.name for program in programs if program.name not in running]:
        raise PlatformUnavailable(
            f"The platform runs without {', '.join(missing)}: another version or other settings started it. "
            "Run `marquee down`, then `marquee up`."
        )


async def _await_supervisor(supervisor: Supervisor, settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SUPERVISOR_SECONDS
    while await supervisor.pid() is None:
        if process.poll() is not None or time.monotonic() > deadline:
            log = log_file(settings, "supervisord-start")
            raise PlatformUnavailable(
                f"The supervisor did not start within {SUPERVISOR_SECONDS:.0f} s; {log} ends:\n{log_tail(log)}"
            )
        await asyncio.sleep(POLL_SECONDS)


async def _stop(settings: Settings, on_event: OnEvent) -> bool:
    supervisor = Supervisor(settings)
    pid = await supervisor.pid()
    if pid is not None:
        await _stop_programs(supervisor, on_event)
        # SIGKILL: every program has stopped. A regular shutdown would wait a second for each stopped program.
        await asyncio.to_thread(leftovers.end, [pid])
    left = leftovers.of_platform(run_folder(settings))
    # If the supervisor was gone, its programs are stopping now: wait for them. Else only strays are left, such as a Dagster run.
    await asyncio.to_thread(leftovers.end, left, grace_seconds=10 if pid is None else 0)
    supervisor.socket.unlink(missing_ok=True)
    return pid is not None or bool(left)


async def _stop_programs(supervisor: Supervisor, on_event: OnEvent) -> None:
    """Stop the stages from the highest to the lowest; the programs of one stage stop at the same time."""
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
            await asyncio.sleep(POLL_SECONDS)
