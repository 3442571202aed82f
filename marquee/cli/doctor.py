"""`marquee doctor`: shows every precondition of this machine and what to do where one is missing.

The checks are in `marquee.platform.examination`. Exit code 1 if something is missing.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from marquee.platform.examination import examine
from marquee.settings import load_settings

_COLOUR = {"ok": "green", "missing": "bold red", "optional": "yellow"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Check what this machine must have, each with its remedy. Exit code 1 if something is missing."""
    findings = examine(load_settings())
    if as_json:
        for finding in findings:
            typer.echo(json.dumps(asdict(finding)))
    else:
        table = Table("precondition", "", "what was found, or the remedy")
        for finding in findings:
            table.add_row(finding.name, f"[{_COLOUR[finding.state]}]{finding.state}[/]", finding.detail)
        Console().print(table)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)
