"""`marquee restart NAME`: new processes for one program or for a family of equal ones, one process at a time.

A program that drains (the API) gets SIGTERM and goes on serving until the gateway sends nothing more; the supervisor starts it
again when it has ended. Any other program is stopped and started. The next process of a family has its turn when the new one
is ready. If the new one does not become ready, the rest go on as they are, and the error says so.
"""

import asyncio
import dataclasses
import signal
import time
from typing import Final

from marquee.errors import InputInvalid, PlatformUnavailable
from marquee.platform.one_program import program
from marquee.platform.state import start_stop_lock
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.readiness import OnEvent, PlatformEvent, StatePoller, await_program
from marquee.platform.supervisor.supervision import ENDED
from marquee.platform.supervisor.supervisord import POLL_SECONDS, Supervisor
from marquee.platform.topology import part_of
from marquee.settings import Settings

READY_SECONDS: Final = 60.0
"""Then the restart ends with an error. A fork of the supervisor is ready within a second or two."""


async def restart(settings: Settings, name: str, *, on_event: OnEvent) -> None:
    """Restart the running programs that `name` means: one, or each of a family in turn.

    Raises `InputInvalid` for a name that is unknown or does not run here; `PlatformUnavailable` if another process of the family
    is not ready (nothing is restarted then), or if a new process does not become ready.
    """
    part, _ = part_of(name)
    supervisor = Supervisor(settings)
    names = [process.name for process in await supervisor.processes()]
    with start_stop_lock(settings):
        running = [each for each in names if part_of(each)[0] is part]
        chosen = [each for each in running if name in (part.name, each)]
        if not chosen:
            raise InputInvalid(f"This host runs no program {name}: `marquee status` lists its programs.", field="name")
        await _check_others(settings, running, chosen)
        for place, each in enumerate(chosen):
            try:
                await _restart_one(supervisor, settings, each, on_event)
            except PlatformUnavailable as error:
                left = chosen[place + 1 :]
                untouched = f" Not restarted, and as before: {', '.join(left)}." if left else ""
                raise PlatformUnavailable(f"The restart of {each} failed.{untouched} {error.detail}") from error


async def _check_others(settings: Settings, running: list[str], chosen: list[str]) -> None:
    """While one process is away the others must serve: refuse if one of them does not."""
    for each in running if len(running) > 1 else []:
        try:
            await program(settings, each).ready()
        except Exception as error:
            if chosen == [each]:
                continue
            raise PlatformUnavailable(
                f"{each} is not ready ({str(error) or type(error).__name__}), so nothing was restarted: `marquee restart {each}` "
                f"restarts it alone, and logs/{each}.log says what it lacks."
            ) from error


async def _restart_one(supervisor: Supervisor, settings: Settings, name: str, on_event: OnEvent) -> None:
    found = dataclasses.replace(program(settings, name), ready_seconds=READY_SECONDS)
    before = await supervisor.process(name)
    on_event(PlatformEvent("stopping", name))
    if not (found.drains and before.state == "running" and await _has_drained(supervisor, found, before.pid)):
        await _stop_and_start(supervisor, name)
    await await_program(StatePoller(supervisor), settings, found, on_event)


async def _has_drained(supervisor: Supervisor, found: Program, pid: int) -> bool:
    """Whether the process has ended after SIGTERM within its `stop_seconds`, so that the supervisor starts a new one."""
    await supervisor.signal(found.name, signal.SIGTERM)
    deadline = time.monotonic() + found.stop_seconds
    while (await supervisor.process(found.name)).pid == pid:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _stop_and_start(supervisor: Supervisor, name: str) -> None:
    await supervisor.stop(name)
    while (await supervisor.process(name)).state not in ENDED:  # noqa: ASYNC110 - supervisord has no event
        await asyncio.sleep(POLL_SECONDS)
    await supervisor.start(name)
