"""Client of supervisord, the process that starts, watches and restarts all others: XML-RPC on a unix socket.

`write_configuration` renders its configuration file, `launch` starts it. Started detached (`marquee up`), it outlives the
command. Started tied (`--foreground`, the demo), it gets SIGTERM when the starting process ends, even by SIGKILL, and stops
everything in order. Its main is `forking`.
"""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from pydantic import SecretStr
from supervisor.xmlrpc import Faults, SupervisorTransport

from marquee.errors import PlatformUnavailable
from marquee.platform.project import PACKAGES, how_to_reinstall
from marquee.platform.state import (
    configuration,
    log_file,
    logs_folder,
    run_folder,
    socket_path,
    stored_secrets,
)
from marquee.platform.supervisor.program import Program, launcher
from marquee.platform.templates import render
from marquee.settings import Settings

SOCKET_NAME = "supervisor.sock"
INTERNAL_PROGRAMS = ("guard", "preparation")
"""Programs of the supervisor itself. `Supervisor.processes` and `marquee status` leave them out."""
STOP_WAIT_SECONDS: Final = 60.0
"""How long a call waits for a supervisor that is shutting down."""
POLL_SECONDS: Final = 0.05
_GUARD = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from marquee.platform.supervisor.leftovers import guard; guard()"
)


@dataclass(frozen=True)
class ProcessState:
    """A program's state in the supervisor.

    `state` is supervisord's state name in lower case: running, starting, backoff, exited, ... `exit_code` is that of its last
    ended process, 0 before the first one has ended.
    """

    name: str
    state: str
    pid: int
    uptime_seconds: int
    stage: int
    exit_code: int


class _Stopping(PlatformUnavailable):
    """The supervisor is shutting down and waits for its programs."""


class Supervisor:
    """A client of one platform's supervisord. Every method but `pid` raises `PlatformUnavailable` if it does not run."""

    def __init__(self, settings: Settings) -> None:
        self.socket = socket_path(settings, SOCKET_NAME)
        self._known_stages: dict[str, int] = {}

    def _call(self, method: str, *arguments: object) -> Any:
        # One proxy for each call: a proxy's connection is not thread-safe.
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy, method)(*arguments)
        except OSError as error:
            raise PlatformUnavailable("The platform is not running: start it with `marquee up`.") from error
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise _Stopping("The platform is stopping: try again when it has stopped.") from fault
            raise
        finally:
            transport.close()

    async def call(self, method: str, *arguments: object) -> Any:
        """Call an XML-RPC method. Raises `xmlrpc.client.Fault` for a call that supervisord refuses."""
        return await asyncio.to_thread(self._call, method, *arguments)

    async def pid(self) -> int | None:
        """The supervisor's process id; None if no supervisor runs. Waits for the end of one that is shutting down."""
        deadline = time.monotonic() + STOP_WAIT_SECONDS
        while True:
            try:
                return int(await self.call("supervisor.getPID"))
            except _Stopping:
                if time.monotonic() > deadline:
                    raise
            except PlatformUnavailable:
                return None
            await asyncio.sleep(POLL_SECONDS)

    async def processes(self) -> list[ProcessState]:
        """Every program in stage order, without INTERNAL_PROGRAMS."""
        return [process for process in await self.all_processes() if process.name not in INTERNAL_PROGRAMS]

    async def all_processes(self) -> list[ProcessState]:
        """Every program in stage order, INTERNAL_PROGRAMS included."""
        found = cast("list[dict[str, Any]]", await self.call("supervisor.getAllProcessInfo"))
        stages = await self._stages()
        states = [_process_state(each, stages) for each in found]
        return sorted(states, key=lambda process: (process.stage, process.name))

    async def process(self, name: str) -> ProcessState:
        """One program's state. Raises `PlatformUnavailable` for a name that this platform does not run."""
        try:
            return _process_state(await self.call("supervisor.getProcessInfo", name), await self._stages())
        except xmlrpc.client.Fault as fault:
            raise PlatformUnavailable(f"This platform runs no program {name}.") from fault

    async def _stages(self) -> dict[str, int]:
        if not self._known_stages:
            found = cast("list[dict[str, Any]]", await self.call("supervisor.getAllConfigInfo"))
            self._known_stages = {each["name"]: int(each["process_prio"]) for each in found}
        return self._known_stages

    async def start(self, name: str) -> None:
        """Start a program without waiting for it. Does nothing if it is already started."""
        try:
            await self.call("supervisor.startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise PlatformUnavailable(f"{name} could not be started: {fault.faultString}.") from fault

    async def preload(self, name: str, modules: Sequence[str]) -> None:
        """Have the supervisor import a program's modules. Raises `PlatformUnavailable` for one that cannot be imported."""
        try:
            await self.call("marquee.preload", name, list(modules))
        except xmlrpc.client.Fault as fault:
            raise PlatformUnavailable(f"{fault.faultString}: {how_to_reinstall()}.") from fault

    async def stop(self, name: str) -> None:
        """Stop a program without waiting for its end. Supervisord sends SIGKILL after the program's `stop_seconds`."""
        try:
            await self.call("supervisor.stopProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise PlatformUnavailable(f"{name} could not be stopped: {fault.faultString}.") from fault

    async def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program. When that ends the program, the supervisor starts it again."""
        try:
            await self.call("supervisor.signalProcess", name, number.name.removeprefix("SIG"))
        except xmlrpc.client.Fault as fault:
            raise PlatformUnavailable(f"{name} could not be told to restart: {fault.faultString}.") from fault


def _process_state(found: dict[str, Any], stages: dict[str, int]) -> ProcessState:
    running = found["statename"] in ("RUNNING", "STOPPING")
    return ProcessState(
        name=found["name"],
        state=str(found["statename"]).lower(),
        pid=int(found["pid"]),
        uptime_seconds=int(found["now"]) - int(found["start"]) if running else 0,
        stage=stages[found["name"]],
        exit_code=int(found["exitstatus"]),
    )


def write_configuration(settings: Settings, programs: Sequence[Program]) -> Path:
    """Render supervisord.conf for these programs into the state folder and return its path."""
    run = run_folder(settings)
    guard = (sys.executable, "-I", "-S", "-c", _GUARD, str(PACKAGES), str(run))
    text = render(
        "supervisor/supervisord.conf.jinja",
        logs=_escaped(str(logs_folder(settings))),
        run=_escaped(str(run)),
        project=_escaped(str(PACKAGES)),
        socket=_escaped(str(socket_path(settings, SOCKET_NAME))),
        as_root=os.geteuid() == 0,
        guard=_command(guard),
        programs=[
            {
                "name": program.name,
                "command": _command(program.marked_command(run)),
                "stage": program.stage,
                "environment": ",".join(f'{name}="{_escaped(value)}"' for name, value in program.environment.items()),
                "one_shot": program.one_shot,
                "stop_signal": "INT" if program.interrupt else "TERM",
                "stop_seconds": program.stop_seconds,
            }
            for program in programs
        ],
    )
    return configuration(settings, "supervisord.conf", text)


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def _command(arguments: Sequence[str]) -> str:
    return _escaped(shlex.join(arguments))


def launch(settings: Settings, configuration_file: Path, *, tied: bool) -> subprocess.Popen[bytes]:
    """Start supervisord in a session of its own.

    Ctrl-C then reaches only the starting command, which stops everything in order. `tied`: supervisord ends with the
    starting process.
    """
    options = [] if tied else ["--detached"]
    command = (
        *(*launcher(), *options, "--mark", str(run_folder(settings) / "supervisord"), "--"),
        *(sys.executable, "-m", "marquee.platform.supervisor.forking", "-c", str(configuration_file)),
    )
    with log_file(settings, "supervisord-start").open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=PACKAGES,
            env={**os.environ, **environment(settings)},
        )


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables by which every program reads these settings.

    Secrets that `marquee.env` holds with the same value are left out: each program reads them from that file.
    """
    values: dict[str, str] = {"MARQUEE_STATE": str(settings.state), "PYTHONUNBUFFERED": "1"}
    stored = stored_secrets(settings)
    for name in sorted(settings.model_fields_set - {"state"}):
        variable, value = f"MARQUEE_{name.upper()}", getattr(settings, name)
        if not isinstance(value, SecretStr):
            values[variable] = str(value)
        elif value.get_secret_value() and value.get_secret_value() != stored.get(variable):
            values[variable] = value.get_secret_value()
    return values
