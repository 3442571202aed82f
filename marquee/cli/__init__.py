"""The command `marquee`: its commands, its exit codes, its error line.

Each module of this package has one group of commands; COMMANDS maps every command to its module. A command is a plain function.
An error that it raises becomes one line on stderr and an exit code: 2 wrong usage, 3 refused, 4 platform not reachable, 1
anything else. Only the module of the called command is imported: `marquee status` must not wait for the imports of `marquee
check`.
"""

import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from marquee.errors import MarqueeError, SettingsInvalid
from marquee.logs import configure_logging

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_REFUSED: Final = 3
EXIT_UNREACHABLE: Final = 4
EXIT_INTERRUPTED: Final = 130

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("all_programs", "Start every process of this machine's platform."),
    "down": ("all_programs", "Stop the platform; no process is left."),
    "restart": (
        "all_programs",
        "Restart one program; the API's processes one after the other, without a failed request.",
    ),
    "status": ("all_programs", "Show every process: state, pid, uptime, memory, port."),
    "doctor": ("doctor", "Check what this machine must have, each with its remedy."),
    "settings": ("settings", "Show every setting, its value now and its meaning."),
    "profiles": ("profiles", "List the encoding profiles, or check one of your own."),
    "engines": ("engines", "Start or stop Kafka, Cassandra and the like on this machine, without Docker."),
    "run": (
        "one_program",
        "Run one program of the platform without a supervisor: for containers, systemd, Kubernetes.",
    ),
    "ready": ("one_program", "Ask a program of this host whether it is ready."),
    "prepare": ("one_program", "Create what the platform needs in its engines: databases, schema, topics, buckets."),
    "secrets": ("one_program", "Print a new set of secrets for a platform of several hosts."),
    "rate-limits": ("limits", "Print the limits of requests, for a rate limit service that several gateways share."),
    "keys": ("keys", "Rotate the keys of access tokens while the platform runs; nobody is logged out."),
    "migrate": ("moving", "Move the content of a store to another engine, while the platform runs."),
    "rebuild-search": ("search", "Build the search index anew from the catalogue, while the platform runs."),
    "analytics": (
        "analytics",
        "Show what the platform knows of its viewers, run the chain of a day or a range, erase a profile.",
    ),
    "demo": ("demo", "Start everything with films in it, and stay up until Ctrl-C."),
    "check": ("demo", "Check the running platform from outside, as its clients would."),
    "upload": ("uploads", "Upload films."),
    "cancel-upload": ("uploads", "Cancel open uploads."),
    "titles": ("uploads", "List titles."),
    "import-catalogue": ("catalogue", "Announce titles from a file."),
}
"""Command -> (module of this package, its line in the help)."""

_EXIT_CODES: Final[dict[int, int]] = {
    400: EXIT_USAGE,
    401: EXIT_REFUSED,
    403: EXIT_REFUSED,
    404: EXIT_USAGE,
    409: EXIT_REFUSED,
    413: EXIT_REFUSED,
    415: EXIT_REFUSED,
    422: EXIT_REFUSED,
    429: EXIT_REFUSED,
    503: EXIT_UNREACHABLE,
}
"""Status of the error -> exit code. Errors raised here and errors from the API have the same statuses."""


def exit_code(error: MarqueeError) -> int:
    """The exit code for an error: EXIT_USAGE for a bad setting, else by its status."""
    return EXIT_USAGE if isinstance(error, SettingsInvalid) else _EXIT_CODES.get(error.status, EXIT_FAILED)


def app() -> None:
    """The entry point: run the command of this process's arguments."""
    # Commands print for people, so the libraries' log lines below WARNING are dropped.
    configure_logging("cli", level=logging.WARNING)
    try:
        command_line(sys.argv[1:])()
    except MarqueeError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output has closed the pipe, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """Build the command line. Only the command that `arguments` name is imported; the others get their line of help only."""
    cli = typer.Typer(
        name="marquee",
        help="Marquee, a video-on-demand platform on one machine.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    cli.callback()(_app)
    for name, (module, line) in COMMANDS.items():
        asked_for = next((argument for argument in arguments if not argument.startswith("-")), None) == name
        if not asked_for:
            cli.command(name, help=line)(_app)
            continue
        command = getattr(importlib.import_module(f"marquee.cli.{module}"), name.replace("-", "_"))
        if isinstance(command, typer.Typer):
            cli.add_typer(command, name=name)
        else:
            cli.command(name)(command)
    return cli


def fail(error: MarqueeError) -> NoReturn:
    """Print the error in one line on stderr (with `--json` also as an object on stdout) and exit with its code."""
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": error.code, "detail": error.detail, "field": error.field}))
    Console(stderr=True).print(f"[bold red]marquee:[/] {escape(error.detail)}", soft_wrap=True, highlight=False)
    for line in open_uploads_of(error):
        Console(stderr=True).print(escape(line), soft_wrap=True, highlight=False)
    sys.exit(exit_code(error))


def open_uploads_of(error: MarqueeError) -> list[str]:
    """A line for each open upload that the API's error lists (`upload-quota-exceeded`), with the command that cancels it."""
    listed = getattr(error, "document", {}).get("open_uploads") or []
    return [
        f"  {one['file_name']}, open since {one['created_at'][:16].replace('T', ' ')}: marquee cancel-upload {one['upload_id']}"
        for one in listed
    ]


def _app() -> None:
    """Marquee, a video-on-demand platform on one machine."""
