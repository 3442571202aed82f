"""Starting, watching and stopping cluster engines, each under a supervisor of its own, so that one starts and stops alone.

`{state}/engines/{name}` holds an engine's instance: its data, its logs, and its ports.
Ports are chosen once: the data names them.
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
"""Below the range from which Linux takes the ports of outgoing connections."""
TRIES: Final = 200


def instance(settings: Settings, engine: Engine) -> Settings:
    """The settings of an engine's own instance: the platform's, with the instance's folder as state."""
    return settings.model_copy(update={"state": settings.state / "engines" / engine.name})


def home(settings: Settings, engine: Engine) -> EngineHome:
    """An instance with its ports, which are chosen and written down the first time."""
    own = instance(settings, engine)
    bootstrap_folders(own)
    path = own.state / "ports.json"
    ports: dict[str, int] = json.loads(path.read_text()) if path.is_file() else {}
    if set(ports) != set(engine.port_names):
        ports = dict(zip(engine.port_names, free_ports(len(engine.port_names)), strict=True))
        path.write_text(json.dumps(ports))
    return EngineHome(own, ports)


def free_ports(count: int) -> list[int]:
    """So many ports of loopback in a row that nobody listens on. Raises `PlatformUnavailable` where there are none."""
    for _ in range(TRIES):
        first = MIN_PORT + secrets.randbelow(MAX_PORT - MIN_PORT - count)
        if all(port_is_free("127.0.0.1", first + offset) for offset in range(count)):
            return list(range(first, first + count))
    raise PlatformUnavailable(f"No {count} free ports in a row between {MIN_PORT} and {MAX_PORT}.")


@dataclass(frozen=True)
class Supervised:
    """A program of an engine, and who watches it."""

    supervisor: Supervisor
    program: Program


def supervised(settings: Settings, engines: Sequence[Engine]) -> list[Supervised]:
    """Every program of the engines, with its supervisor."""
    found: list[Supervised] = []
    for engine in engines:
        own = home(settings, engine)
        found += [Supervised(Supervisor(own.settings), program) for program in engine.programs(own)]
    return found


async def up(
    settings: Settings, engines: Sequence[Engine], *, on_event: OnEvent, tied: bool = False
) -> Mapping[str, str]:
    """Start engines side by side and return the settings (variable -> URL) by which a platform uses them.

    Raises `PlatformUnavailable` with the remedy; an engine that did not start leaves nothing running.
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
                f"{engine.name} keeps the port {', '.join(taken)}, which another process uses now: stop that one, "
                f"or remove {found.folder} with what is in it."
            )

    await run_programs(found.settings, lambda: engine.programs(found), check=check, on_event=on_event, tied=tied)
    began = time.monotonic()
    await engine.prepare(found)
    on_event(PlatformEvent("prepared", engine.name, time.monotonic() - began))
    return found


async def down(settings: Settings, engines: Sequence[Engine], *, on_event: OnEvent) -> list[str]:
    """Stop engines, and return the names of those that were running."""
    stopped = await asyncio.gather(*(stop(instance(settings, engine), on_event=on_event) for engine in engines))
    return [engine.name for engine, was_running in zip(engines, stopped, strict=True) if was_running]


async def running(settings: Settings, engines: Sequence[Engine]) -> list[Engine]:
    """Those of the engines whose supervisor answers."""
    return [engine for engine in engines if await _supervisor(instance(settings, engine)) is not None]


async def observe(settings: Settings, engines: Sequence[Engine]) -> list[ObservedProcess]:
    """Every process of the engines that run."""
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
    """The settings by which a platform uses engines that were started before."""
    return {variable: url for engine in engines for variable, url in engine.urls(home(settings, engine)).items()}
