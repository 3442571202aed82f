"""`marquee import-catalogue`: announces titles that have no film yet.

It writes into the catalogue's database, so it needs the platform's settings. A line that is not a title does not stop the others.
"""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from marquee.cli.uploads import Json
from marquee.client.uploader import printable_name
from marquee.domain.announced import read_announced
from marquee.errors import InputInvalid
from marquee.settings import load_settings
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.opened import open_stores

IMPORT_BATCH = 2_000
SHOWN_REFUSALS = 5


def import_catalogue(
    file: Annotated[Path, typer.Argument(help="One JSON object a line, gzipped or not.")], as_json: Json = False
) -> None:
    """Announce titles that have no film yet. Search finds them and shows that they cannot be played."""
    if not file.is_file():
        raise InputInvalid(f"{file} is not a file: give the path of a catalogue file.", field="file")
    console = Console(stderr=True, quiet=as_json)
    refused: list[InputInvalid] = []
    read, new = asyncio.run(_import(file, refused, console))
    console.print(f"{read} titles read, {new} new, {len(refused)} lines left out")
    for problem in refused[:SHOWN_REFUSALS]:
        console.print(f"[yellow]{escape(problem.detail)}[/]", highlight=False)
    reasons = [problem.detail for problem in refused[:SHOWN_REFUSALS]]
    if as_json:
        said = {"state": "imported", "read": read, "new": new, "left_out": len(refused), "reasons": reasons}
        typer.echo(json.dumps(said))


async def _import(file: Path, refused: list[InputInvalid], console: Console) -> tuple[int, int]:
    read = new = 0
    async with open_stores(load_settings()) as stores:
        with console.status("importing") as status:
            for batch in _batches(_announced(file, refused)):
                new += await stores.catalogue.titles.announce(batch)
                read += len(batch)
                status.update(f"importing: {read} titles read, {new} new")
    return read, new


def _batches(rows: Iterator[tuple[str, TitleDetails]]) -> Iterator[list[tuple[str, TitleDetails]]]:
    batch: list[tuple[str, TitleDetails]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == IMPORT_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _announced(file: Path, refused: list[InputInvalid]) -> Iterator[tuple[str, TitleDetails]]:
    """The file's titles. A line that is not a title goes to `refused`, so one bad line does not stop the import."""
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            try:
                announced = read_announced(line, number=number)
            except InputInvalid as problem:
                refused.append(problem)
                continue
            yield (
                announced.movie_id,
                TitleDetails(
                    title=announced.title,
                    year=announced.year,
                    description=announced.description,
                    genres=tuple(announced.genres or ()),
                    people=announced.people,
                    aka=tuple(announced.aka or ()),
                    votes=int(announced.votes) if announced.votes is not None else None,
                ),
            )


def _lines(file: Path) -> Iterator[bytes]:
    """The lines of a plain or gzipped file. Raises `InputInvalid` for a file that cannot be read to its end."""
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise InputInvalid(f"{printable_name(str(file))} cannot be read: {error}.", field="file") from error
