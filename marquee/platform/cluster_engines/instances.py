"""Starts, observes and stops cluster engines. Each has a supervisor of its own, so each starts and stops separately.

`{state}/engines/{name}` is an engine's instance: its data, its logs, and `ports.json`. The ports are chosen at the first start
and never change, because the engines' data contains them. `up` returns the settings by which a platform uses the engines.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from marquee.errors import PlatformUnavailable
from marquee.platform.cluster_engines.engine import Engine, EngineHome
from marquee.platform.state import bootstrap_folders, port_is_free, run_folder
from marquee.platform.supervisor.observation import ObservedProcess, memory
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervision import OnEvent, PlatformEvent, Supervisor, run_programs, stop
from marquee.settings import Settings

MIN_PORT: Final = 15_000
MAX_PORT: Final = 32_000
"""Linux takes the ports of outgoing connections from a range above this number."""
PORT_TRIES: Final = 200


def instance(settings: Settings, engine: Engine) -> Settings:
    """The settings of an engine's instance: the platform's, but with the instance's folder as `state`."""
    return settings.model_copy(update={"state": settings.state / "engines" / engine.name})


def home(settings: Settings, engine: Engine) -> EngineHome:
    """An engine's instance with its ports. The first call chooses the ports and writes `ports.json`."""
    own = instance(settings, engine)
    bootstrap_folders(own)
    path = own.state / "ports.json"
    ports: dict[str, int] = json.loads(path.read_text()) if path.is_file() else {}
    if set(ports) != set(engine.port_names):
        ports = dict(zip(engine.port_names, free_ports(len(engine.port_names)), strict=True))
        path.write_text(json.dumps(ports))
    return EngineHome(own, ports)


def free_ports(count: int) -> list[int]:
    """`count` consecutive free ports of loopback. Raises `PlatformUnavailable` if PORT_TRIES random ranges are all in use."""
    for _ in range(PORT_TRIES):
        first = MIN_PORT + secrets.randbelow(MAX_PORT - MIN_PORT - count)
        if all(port_is_free("127.0.0.1", first + offset) for offset in range(count)):
            return list(range(first, first + count))
    raise PlatformUnavailable(
        f"No {count} consecutive ports between {MIN_PORT} and {MAX_PORT} are free: stop what uses them."
    )


@dataclass(frozen=True)
class Supervised:
    """A program of an engine, and the supervisor that runs it."""

    supervisor: Supervisor
    program: Program


def supervised(settings: Settings, engines: Sequence[Engine]) -> list[Supervised]:
    """Every program of these engines with its supervisor. Writes the programs' configuration files."""
    found: list[Supervised] = []
    for engine in engines:
        own = home(settings, engine)
        found += [Supervised(Supervisor(own.settings), program) for program in engine.programs(own)]
    return found


async def up(
    settings: Settings, engines: Sequence[Engine], *, on_event: OnEvent, tied: bool = False
) -> Mapping[str, str]:
    """Start engines at the same time. Returns the settings by which a platform uses them (variable -> URL).

    Raises `PlatformUnavailable` with the remedy. An engine that did not start leaves no process running.
    """
    homes = await asyncio.gather(*(_up(settings, engine, on_event, tied=tied) for engine in engines))
    return {
        variable: url
        for engine, found in zip(engines, homes, strict=True)
        for variable, url in engine.urls(found).items()
    }


async def _up(settings: Settings, engine: Engine, on_event: OnEvent, *, tied: bool) -> EngineHome:
    await asyncio.to_thread(engine.fetch, settings)
    found = home(settings, engine)

    def check() -> None:
        taken = [f"{port} ({name})" for name, port in found.ports.items() if not port_is_free("127.0.0.1", port)]
        if taken:
            raise PlatformUnavailable(
                f"{engine.name} always uses the port {', '.join(taken)}, which another process has now: stop that process, "
                f"or delete {found.folder} and its data."
            )

    await run_programs(found.settings, lambda: engine.programs(found), check=check, on_event=on_event, tied=tied)
    began = time.monotonic()
    await engine.prepare(found)
    on_event(PlatformEvent("prepared", engine.name, time.monotonic() - began))
    return found


async def down(settings: Settings, engines: Sequence[Engine], *, on_event: OnEvent) -> list[str]:
    """Stop engines. Returns the names of those that were running."""
    stopped = await asyncio.gather(*(stop(instance(settings, engine), on_event=on_event) for engine in engines))
    return [engine.name for engine, was_running in zip(engines, stopped, strict=True) if was_running]


async def running(settings: Settings, engines: Sequence[Engine]) -> list[Engine]:
    """The engines whose supervisor runs."""
    return [engine for engine in engines if await _supervisor(instance(settings, engine)) is not None]


async def observe(settings: Settings, engines: Sequence[Engine]) -> list[ObservedProcess]:
    """State, memory and port of every process of the running engines."""
    found: list[ObservedProcess] = []
    for each in supervised(settings, await running(settings, engines)):
        process = await each.supervisor.process(each.program.name)
        found.append(
            ObservedProcess(
                process.name,
                process.state,
                process.pid,
                process.uptime_seconds,
                memory(process.pid),
                each.program.port,
            )
        )
    return found


async def _supervisor(own: Settings) -> int | None:
    return await Supervisor(own).pid() if run_folder(own).is_dir() else None


def addresses(settings: Settings, engines: Sequence[Engine]) -> Mapping[str, str]:
    """The settings by which a platform uses these engines (variable -> URL), without starting them."""
    return {variable: url for engine in engines for variable, url in engine.urls(home(settings, engine)).items()}
