"""`marquee up`, `down`, `restart` and `status`: start, stop, restart and show the processes of this machine's platform.

The work is `marquee.platform.supervisor`'s; this module prints the events, the addresses and the table of processes. With
`--foreground`, `up` stays until a signal and then stops everything in order.
"""

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from marquee.cli.starting import StartDisplay
from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.certificates import tls_warnings
from marquee.platform.supervisor import rolling
from marquee.platform.supervisor.observation import ObservedProcess, observe
from marquee.platform.supervisor.supervision import PlatformEvent, Supervisor, start, stop
from marquee.processes.stopping import stop_on_signals, unless_stopped, wait_for_stop
from marquee.settings import Settings, load_settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Foreground = Annotated[
    bool, typer.Option("--foreground", help="Stay until Ctrl-C or SIGTERM, then stop everything in order.")
]
WATCH_SECONDS = 2.0


def up(foreground: Foreground = False, as_json: Json = False) -> None:
    """Start every process of this machine's platform. Running processes stay unchanged."""
    asyncio.run(_up(Console(stderr=as_json), foreground=foreground, as_json=as_json))


async def _up(console: Console, *, foreground: bool, as_json: bool) -> None:
    stopping = stop_on_signals() if foreground else asyncio.Event()
    with StartDisplay(console) as display:
        # A signal during the start cancels it: `start` then stops what it has started.
        settings = await unless_stopped(stopping, start(on_event=Callback(display, as_json), tied=foreground))
    if settings is not None:
        _say_addresses(settings, console, as_json=as_json)
        for warning in _warnings(settings):
            console.print(f"[yellow]{escape(warning)}[/]", soft_wrap=True, highlight=False)
        if not foreground:
            return
        await _until_stopped(stopping, settings)
        with StartDisplay(console) as display:
            await stop(settings, on_event=Callback(display, as_json))


class Callback:
    """Shows each event on the display, and prints it as JSON with `--json`."""

    def __init__(self, display: StartDisplay, as_json: bool) -> None:
        self._display = display
        self._as_json = as_json

    def __call__(self, event: PlatformEvent) -> None:
        self._display.seen(event)
        if self._as_json:
            typer.echo(json.dumps(asdict(event)))


async def _until_stopped(stopping: asyncio.Event, settings: Settings) -> None:
    """Wait for a signal. Raises `PlatformUnavailable` if the supervisor ends meanwhile."""
    supervisor = Supervisor(settings)
    while not stopping.is_set():
        await wait_for_stop(stopping, WATCH_SECONDS)
        if not stopping.is_set() and await supervisor.pid() is None:
            raise PlatformUnavailable("The supervisor has ended: start the platform again with `marquee up`.")


def _say_addresses(settings: Settings, console: Console, *, as_json: bool) -> None:
    addresses = {
        "web client": settings.public,
        "API docs": f"{settings.public}/schema/scalar",
        "Dagster UI": settings.dagster,
    }
    if as_json:
        typer.echo(
            json.dumps({"kind": "up", **{name.replace(" ", "_").lower(): url for name, url in addresses.items()}})
        )
    for name, url in addresses.items():
        console.print(f"{name:<12} {url}", highlight=False)
    console.print(f"{'log in with':<12} {settings.email}  {settings.password.get_secret_value()}", highlight=False)


def down(as_json: Json = False) -> None:
    """Stop the platform in order. No process is left."""
    console = Console(stderr=as_json)
    with StartDisplay(console) as display:
        was_running = asyncio.run(stop(on_event=Callback(display, as_json)))
    console.print("Stopped." if was_running else "The platform was not running.")


def restart(
    name: Annotated[
        str, typer.Argument(help="A program, as `marquee status` names it; api means all of the API's processes.")
    ],
    as_json: Json = False,
) -> None:
    """Restart one program; the API's processes one after the other, so that no request fails."""
    with StartDisplay(Console(stderr=as_json)) as display:
        asyncio.run(rolling.restart(load_settings(), name, on_event=Callback(display, as_json)))


def status(as_json: Json = False) -> None:
    """Show every process: state, pid, uptime, memory, port."""
    settings = load_settings()
    processes = asyncio.run(observe(settings))
    if as_json:
        for process in processes:
            typer.echo(json.dumps(asdict(process)))
    else:
        Console().print(process_table(processes))
        for warning in _warnings(settings):
            Console(stderr=True).print(f"[yellow]{escape(warning)}[/]", soft_wrap=True, highlight=False)
    if any(process.state != "running" for process in processes):
        raise typer.Exit(1)


def _warnings(settings: Settings) -> list[str]:
    try:
        return tls_warnings(settings)
    except SettingsInvalid as error:  # the running programs keep the last pair that could be used
        return [error.detail]


def process_table(processes: list[ObservedProcess]) -> Table:
    """The table of `marquee status`, with the total memory as its caption."""
    total = sum(process.memory_bytes for process in processes)
    table = Table("process", "state", "pid", "uptime", "memory", "port", caption=f"{total / 1e6:.0f} MB in all")
    for process in processes:
        colour = "green" if process.state == "running" else "red"
        table.add_row(
            process.name,
            f"[{colour}]{process.state}[/]",
            str(process.pid or ""),
            str(timedelta(seconds=process.uptime_seconds)),
            f"{process.memory_bytes / 1e6:.0f} MB",
            str(process.port or ""),
        )
    return table
