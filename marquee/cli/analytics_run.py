"""`marquee analytics run`: runs the chain of analytics for a day or a range of days, with progress, row counts, and what was held
back and why.

The rules of the days are in `marquee.domain.analytics_days`, the run in `marquee.platform.analytics_run`. Exit code 3 if a check
has held a batch back, 1 if something failed.
"""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from marquee.analytics_extra import missing_packages, told_missing
from marquee.cli.all_programs import Json
from marquee.cli.steps import Step, step
from marquee.client.dagster_runs import RunState
from marquee.client.run_outcome import RunOutcome
from marquee.domain.analytics_days import days_asked
from marquee.errors import InputInvalid, PlatformUnavailable
from marquee.platform.analytics_run import run_days
from marquee.settings import load_settings

EXIT_HELD_BACK = 3


def run(
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="One day (UTC). Default: yesterday.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of a range.")] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of a range. Default: yesterday.")
    ] = None,
    here: Annotated[
        bool,
        typer.Option("--here", help="As a process of this host, also where Dagster runs. Nothing stands in its UI."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the chain of a day or of a range: each day's sessions and facts, then the batches and marts once, for the last day.

    By Dagster where it runs, else as a process of this host. A run may be repeated: twice gives the same.
    """
    days = days_asked(datetime.now(UTC).date(), day=_day("day", day), first=_day("from", first), last=_day("to", last))
    if missing := missing_packages():
        raise PlatformUnavailable(told_missing(missing))
    console = Console(stderr=as_json)
    name = f"{days[0]}" if days[0] == days[1] else f"{days[0]} to {days[1]}"
    with step(console, name) as shown:
        outcome = asyncio.run(run_days(load_settings(), *days, here=here, on_state=lambda state: _show(shown, state)))
        shown.result = "done" if outcome.is_whole else "held back" if outcome.held_back else "failed"
    if as_json:
        typer.echo(msgspec.json.encode(outcome).decode())
    else:
        _print(console, outcome)
    if not outcome.is_whole:
        raise typer.Exit(EXIT_HELD_BACK if outcome.held_back else 1)


def _day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputInvalid(f"--{option} is {text!r}, which is no day: write it as 2026-11-30.", field=option) from error


def _show(shown: Step, state: RunState) -> None:
    ended = [name for name, status in state.steps.items() if status in ("SUCCESS", "FAILURE", "SKIPPED")]
    working = [name for name, status in state.steps.items() if status == "IN_PROGRESS"]
    if working:
        shown.say(f"{len(ended)} steps done, now {', '.join(working)}")
    elif ended:
        shown.say(f"{len(ended)} steps done, the last one {ended[-1]}")
    else:
        shown.say(state.status.lower())


def _print(console: Console, outcome: RunOutcome) -> None:
    table = Table("made", "numbers")
    for asset, numbers in outcome.made.items():
        table.add_row(asset, ", ".join(f"{label} {value}" for label, value in numbers.items()))
    if table.row_count:
        console.print(table)
    for check, reason in outcome.held_back.items():
        console.print(f"[bold red]held back[/] by {check}: {escape(reason)}", highlight=False, soft_wrap=True)
    for name, reason in outcome.failed.items():
        console.print(f"[bold red]failed[/] {name}: {escape(reason)}", highlight=False, soft_wrap=True)
    if not outcome.is_whole:
        console.print(
            f"Viewers and pages keep what they had. More is in {outcome.where}", highlight=False, soft_wrap=True
        )
