"""`marquee migrate`: moves the content of a store to another engine while the platform runs.

A file in `{state}/moving` holds the progress of each move, so a move that was interrupted continues from there. The moving
itself is the store's (`marquee.stores.resume_positions`).
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

migrate = typer.Typer(
    help="Move the content of a store to another engine, while the platform runs.", no_args_is_help=True
)


@migrate.command("resume-positions")
def resume_positions(
    from_url: Annotated[
        str, typer.Option("--from", metavar="URL", help=f"The old store; else {READ_ALSO_SETTING}.")
    ] = "",
    to_url: Annotated[str, typer.Option("--to", metavar="URL", help=f"The new store; else {SETTING}.")] = "",
    as_json: Json = False,
) -> None:
    """Move all resume positions from one store to another. Passes repeat until one pass finds nothing to move.

    The command may run at any time and several times. If it ends after the last process that writes to the old store has
    ended, the new store has every position.
    """
    settings = load_settings()
    source = from_url or settings.resume_positions_read_also_url
    target = to_url or settings.resume_positions
    if not source:
        raise InputInvalid(
            f"The old store of the positions is not named: give --from, or set {READ_ALSO_SETTING}.", field="from"
        )
    if source == target:
        raise InputInvalid(
            "The old and the new store are the same: give different URLs for --from and --to.", field="to"
        )
    console = Console(stderr=True)
    with _Display(console, as_json=as_json) as display:
        asyncio.run(_move(source, target, _Place(settings, source, target), display))
    if as_json:
        typer.echo(json.dumps({"kind": "moved"}))
    console.print("A whole pass found nothing to move: the new store has every position.", highlight=False)


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
        raise StoreUnavailable(f"{error.detail} Run the command again: it continues from where it stopped.") from error
    finally:
        await source.close()
        await target.close()
    place.forget()


class _Place:
    """The file that holds the progress of the move from one store to another."""

    def __init__(self, settings: Settings, source: str, target: str) -> None:
        bootstrap_folders(settings)
        # The URLs contain passwords, so the file's name has only their digest.
        digest = hashlib.sha256(f"{source}\n{target}".encode()).hexdigest()[:16]
        self._path: Path = settings.state / "moving" / f"resume-positions-{digest}.json"
        self._path.parent.mkdir(exist_ok=True)

    def read(self) -> Pass:
        """The pass to continue; a first pass if there is no readable file."""
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            return resumed(msgspec.json.decode(self._path.read_bytes(), type=Pass))
        return Pass()

    def write(self, step: Pass) -> None:
        write_privately(self._path, msgspec.json.encode(step).decode())

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class _Display:
    """One line for each pass: positions read, moved, and per second. With --json also an object at the end of each pass."""

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
        """A pass begins, or continues one that was interrupted."""
        self._begun = time.monotonic()
        self._read_before = step.read
        # The total is known only after the first pass. Until then the bar has no end.
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
