"""`marquee analytics status`: what the platform knows of its viewers, and how old that is. `run` is `marquee.cli.analytics_run`,
erasing is in `marquee.cli.erasure`.

Reads PostgreSQL and the event log by the platform's settings; the numbers are in `marquee.platform.analytics_state`.
"""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from marquee.analytics_extra import how_to_get_analytics
from marquee.cli.all_programs import Json
from marquee.cli.analytics_run import run
from marquee.cli.erasure import erase, erasures
from marquee.domain.lateness import Watched
from marquee.platform.analytics_state import AnalyticsState, analytics_state
from marquee.platform.analytics_watch import look
from marquee.settings import load_settings

analytics = typer.Typer(no_args_is_help=True)


@analytics.callback()
def _group() -> None:
    """What viewers do, and what follows from it."""


analytics.command()(run)
analytics.command()(erase)
analytics.command()(erasures)


@analytics.command()
def status(as_json: Json = False) -> None:
    """Show the lag of the event sink, the lake's files, the newest batches, the age of the marts, and what is late."""
    state, late = asyncio.run(_look())
    if as_json:
        typer.echo(json.dumps({**asdict(state), "late": [asdict(one) for one in late]}, default=_text))
        return
    console = Console()
    for table in _tables(state):
        console.print(table)
    for one in late:
        console.print(f"[bold red]late[/] {escape(one.sentence)}", highlight=False, soft_wrap=True)
    if state.missing_packages:
        console.print(
            f"[yellow]{', '.join(state.missing_packages)} missing: {how_to_get_analytics()}.[/]", highlight=False
        )


async def _look() -> tuple[AnalyticsState, list[Watched]]:
    settings = load_settings()
    state = await analytics_state(settings)
    return state, [one for one in await look(settings, state) if one.is_late]


def _tables(state: AnalyticsState) -> list[Table]:
    sink = Table("event sink", "lag", "lost unwritten", "profiles to erase")
    written_at = state.sink.written_at
    sink.add_row(
        f"wrote {_age(written_at)} ago" if written_at else "has never run",
        f"{state.sink.lag_seconds:.0f} s",
        f"{state.lost:,}",
        str(state.open_erasures),
    )
    lake = Table("lake", "files", "rows", "MB", "from", "to")
    for dataset in state.datasets:
        lake.add_row(
            dataset.name,
            str(dataset.files),
            f"{dataset.rows:,}",
            f"{dataset.size_bytes / 1e6:.1f}",
            f"{dataset.first:%Y-%m-%d %H:%M}",
            f"{dataset.last:%Y-%m-%d %H:%M}",
        )
    batches = Table("batch", "", "rows", "events until", "reason")
    for batch in state.batches:
        colour = {"accepted": "green", "refused": "bold red"}.get(batch.state, "yellow")
        batches.add_row(
            f"{batch.name} {batch.batch_id}",
            f"[{colour}]{batch.state}[/]",
            f"{batch.rows:,}",
            f"{batch.through:%Y-%m-%d %H:%M}",
            batch.reason or "",
        )
    marts = Table("mart", "built", "rows", "events until")
    for name, build in sorted(state.marts.items()):
        through = f"{build.through:%Y-%m-%d %H:%M}" if build.through else ""
        marts.add_row(name, f"{_age(build.built_at)} ago", f"{build.rows:,}", through)
    return [table for table in (sink, lake, batches, marts) if table.row_count]


def _age(moment: datetime) -> str:
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
