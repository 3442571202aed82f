"""`marquee migrate`: what a store holds moves to another engine while the platform runs.

The place that a move has reached is kept in `{state}/moving`, so that one that is broken off goes on from there.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Annotated, Self

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from marquee.cli.all_programs import Json
from marquee.errors import InputInvalid, StoreUnavailable
from marquee.platform.state import bootstrap_folders, write_privately
from marquee.settings import Settings, load_settings
from marquee.stores.resume_positions import READ_ALSO_SETTING, SETTING, open_movable
from marquee.stores.resume_positions.moving import Pass, move, resumed

migrate = typer.Typer(help="Move what a store holds to another engine, while the platform runs.", no_args_is_help=True)


@migrate.command("resume-positions")
def resume_positions(
    from_url: Annotated[
        str, typer.Option("--from", metavar="URL", help=f"The old store; else {READ_ALSO_SETTING}.")
    ] = "",
    to_url: Annotated[str, typer.Option("--to", metavar="URL", help=f"The new store; else {SETTING}.")] = "",
    as_json: Json = False,
) -> None:
    """Move all resume positions from one store to another, pass after pass, until one finds nothing left to move.

    It may be given at any time, and again. When it ends after the last process that writes to the old store has ended,
    everything is in the new one.
    """
    settings = load_settings()
    source = from_url or settings.resume_positions_read_also_url
    target = to_url or settings.resume_positions
    if not source:
        raise InputInvalid(f"Say where the positions are now: give --from, or set {READ_ALSO_SETTING}.", field="from")
    if source == target:
        raise InputInvalid("The old and the new store are the same: --from and --to have to differ.", field="to")
    console = Console(stderr=True)
    with _Display(console, as_json=as_json) as display:
        asyncio.run(_move(source, target, _Place(settings, source, target), display))
    if as_json:
        typer.echo(json.dumps({"kind": "moved"}))
    console.print("A whole pass found nothing left to move: everything is in the new store.", highlight=False)


async def _move(source_url: str, target_url: str, place: "_Place", display: "_Display") -> None:
    source, target = open_movable(source_url, setting="--from"), open_movable(target_url, setting="--to")
    begin = place.read()
    display.begins(begin)
    try:
        await asyncio.gather(source.ping(), target.ping())
        async with contextlib.aclosing(move(source, target, begin=begin)) as passes:
            async for step in passes:
                place.write(step)
                display.seen(step)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error.detail} Give the command again: it goes on from where it is.") from error
    finally:
        await source.close()
        await target.close()
    place.forget()


class _Place:
    """The file in which a move of one store to another one notes how far it is."""

    def __init__(self, settings: Settings, source: str, target: str) -> None:
        bootstrap_folders(settings)
        # The URLs have passwords in them: only their digest is written down.
        digest = hashlib.sha256(f"{source}\n{target}".encode()).hexdigest()[:16]
        self._path: Path = settings.state / "moving" / f"resume-positions-{digest}.json"
        self._path.parent.mkdir(exist_ok=True)

    def read(self) -> Pass:
        """Where to go on; the beginning where no move was broken off."""
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            return resumed(msgspec.json.decode(self._path.read_bytes(), type=Pass))
        return Pass()

    def write(self, step: Pass) -> None:
        write_privately(self._path, msgspec.json.encode(step).decode())

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class _Display:
    """A line a pass: how much was read and moved, how fast; with --json an object at the end of each."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._as_json = as_json
        self._lines: dict[int, TaskID] = {}
        self._begun = time.monotonic()
        self._read_before = 0
        self._in_store: int | None = None
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[read]:,} read, {task.fields[moved]:,} moved, {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begins(self, step: Pass) -> None:
        """A pass begins, or goes on where an earlier command's was broken off."""
        self._begun = time.monotonic()
        self._read_before = step.read
        # The first pass tells how much there is; until then the bar only moves.
        self._lines[step.number] = self._progress.add_task(
            f"pass {step.number}", total=self._in_store, read=step.read, moved=step.moved, rate=0.0
        )

    def seen(self, step: Pass) -> None:
        if step.number not in self._lines:
            self.begins(Pass(step.number))
        seconds = time.monotonic() - self._begun
        rate = (step.read - self._read_before) / max(seconds, 1e-3)
        line = self._lines[step.number]
        self._progress.update(line, completed=step.read, read=step.read, moved=step.moved, rate=rate)
        if not step.ended:
            return
        self._in_store = step.read
        self._progress.update(line, total=max(step.read, 1), completed=max(step.read, 1))
        self._progress.stop_task(line)
        if self._as_json:
            said = {"kind": "pass", "number": step.number, "read": step.read, "moved": step.moved, "whole": step.whole}
            typer.echo(json.dumps({**said, "seconds": round(seconds, 3)}))
