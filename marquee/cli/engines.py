"""`marquee engines fetch | up | status | down`: Kafka, Cassandra and other cluster engines on this machine.

The work is `marquee.platform.cluster_engines`'. Each engine starts and stops separately. `up` prints the settings by which a
platform uses the engines, as `export` lines.
"""

import asyncio
import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from marquee.cli.all_programs import Callback, Json, process_table
from marquee.cli.starting import StartDisplay
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.names import ENGINES, chosen
from marquee.settings import load_settings


class Action(StrEnum):
    """What `marquee engines` does with the engines."""

    FETCH = "fetch"
    UP = "up"
    STATUS = "status"
    DOWN = "down"


def engines(
    action: Annotated[Action, typer.Argument(help="fetch their files, start, show or stop them.")],
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(ENGINES)}; all if none is named.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch, start, show or stop Kafka, Cassandra and the like on this machine; `up` prints the URLs to export."""
    asked = chosen(names or [])
    console = Console(stderr=True)
    match action:
        case Action.FETCH:
            _fetch(asked, console)
        case Action.UP:
            _up(asked, console, as_json=as_json)
        case Action.STATUS:
            _status(asked, as_json=as_json)
        case Action.DOWN:
            _down(asked, console, as_json=as_json)


def _fetch(asked: list[Engine], console: Console) -> None:
    settings = load_settings()
    for engine in asked:
        with console.status(f"fetching the files of {engine.name}"):
            engine.fetch(settings)
        console.print(f"[green]✓[/] {engine.name}", highlight=False)


def _up(asked: list[Engine], console: Console, *, as_json: bool) -> None:
    with StartDisplay(console) as display:
        urls = asyncio.run(instances.up(load_settings(), asked, on_event=Callback(display, as_json)))
    if as_json:
        typer.echo(json.dumps({"kind": "up", **urls}))
        return
    console.print("A platform uses these engines by these settings:")
    for variable, url in urls.items():
        typer.echo(f"export {variable}='{url}'")


def _status(asked: list[Engine], *, as_json: bool) -> None:
    processes = asyncio.run(instances.observe(load_settings(), asked))
    if as_json:
        for process in processes:
            typer.echo(json.dumps(asdict(process)))
    elif processes:
        Console().print(process_table(processes))
    else:
        Console().print("No engine is running.")
    if any(process.state != "running" for process in processes):
        raise typer.Exit(1)


def _down(asked: list[Engine], console: Console, *, as_json: bool) -> None:
    with StartDisplay(console) as display:
        stopped = asyncio.run(instances.down(load_settings(), asked, on_event=Callback(display, as_json)))
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "No engine was running.")
