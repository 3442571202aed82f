"""`marquee run`, `ready`, `prepare` and `secrets`: the commands for a platform on several hosts or in containers.

`run` becomes one program, `ready` calls a program's readiness probe, `prepare` creates what the engines need, `secrets` prints
the secrets that all hosts share.
"""

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Console

from marquee.errors import PlatformUnavailable
from marquee.platform import one_program
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.settings import load_settings

Name = Annotated[
    str, typer.Argument(help="A program, as `marquee status` names it; api and transcode mean the first of their kind.")
]


def run(name: Name) -> None:
    """Run one program of the platform without a supervisor: for containers, systemd, Kubernetes."""
    one_program.replace_process(load_settings(), name)


def ready(name: Name) -> None:
    """Ask a program of this host whether it is ready. Exit code 4 if it is not."""
    found = one_program.program(load_settings(), name)
    try:
        asyncio.run(asyncio.wait_for(found.ready(), PROBE_SECONDS * 2))
    except Exception as error:
        raise PlatformUnavailable(f"{name} is not ready: {error or type(error).__name__}") from error


def prepare() -> None:
    """Create what the platform needs in its engines: databases, schema, topics, buckets, an account. May be repeated."""
    from marquee.platform.preparation import prepare_all

    console = Console(stderr=True)
    began = time.monotonic()
    for step in prepare_all(load_settings()):
        console.print(f"[green]✓[/] {step:<20} {time.monotonic() - began:5.1f} s", highlight=False)


def secrets() -> None:
    """Print a new set of secrets, as lines of an environment file that every host of the platform shares."""
    from marquee.platform.state import new_secrets

    for variable, value in sorted(new_secrets().items()):
        typer.echo(f"{variable}={value}")
