"""`marquee analytics erase PROFILE`: removes one profile's rows from the lake and from what analytics found. `erasures`: a list.

It asks for the erasure first, which the event sink obeys from then on, and does the work itself. A command that was cut off is
run again, or the event sink finishes it.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from marquee.analytics_extra import how_to_get_analytics
from marquee.cli.all_programs import Json
from marquee.domain.ids import is_profile_id
from marquee.errors import InputInvalid
from marquee.settings import Settings, load_settings
from marquee.stores.lake.arrow import arrow_is_installed
from marquee.stores.lake.contract import Erasure
from marquee.stores.opened import open_stores

if TYPE_CHECKING:
    from marquee.ingest.lake.erasure import Erased


def erase(profile: Annotated[str, typer.Argument(help="The profile's id: p_...")], as_json: Json = False) -> None:
    """Remove one profile's rows from the lake and from what analytics found. May be repeated."""
    if not is_profile_id(profile):
        raise InputInvalid(f"{profile!r} is no profile's id: p_ and 20 letters or digits.", field="profile")
    settings = load_settings()
    console = Console(stderr=True, quiet=as_json)
    with console.status("erasing"):
        found, erased = asyncio.run(_erase(settings, profile))
    if as_json:
        told = {"rows": erased.rows if erased else None, "unreadable": erased.unreadable if erased else ()}
        typer.echo(json.dumps({"kind": "erased", "profile_id": profile, "findings": found, **told}))
    hours = settings.lake_retired_seconds / 3600
    if erased is None:
        console.print(
            f"{found:,} findings of {profile} are deleted. Its events go when event-sink runs, which needs the extra "
            f"`analytics`: {how_to_get_analytics()}.",
            highlight=False,
            soft_wrap=True,
        )
    elif erased.unreadable:
        console.print(
            f"{erased.rows:,} rows and {found:,} findings of {profile} were removed. These files are damaged and were not "
            f"searched: {', '.join(erased.unreadable)}. The erasure stays open until they are restored: event-sink tries "
            "again, or repeat this command.",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print(
            f"{profile} is in no live file any more: {erased.rows:,} rows were removed, and {found:,} findings. "
            f"The replaced files are deleted {hours:g} h after their replacement, while event-sink runs.",
            highlight=False,
            soft_wrap=True,
        )
    if erased and erased.unreadable:
        raise typer.Exit(1)


def erasures(as_json: Json = False) -> None:
    """List the profiles whose erasure was asked for in the last 90 days, and what of it is still open."""
    listed = asyncio.run(_erasures(load_settings()))
    if as_json:
        for each in listed:
            open_parts = {"waits_for_lake": each.waits_for_lake, "waits_for_watching": each.waits_for_watching}
            told = {"profile_id": each.profile_id, "asked_at": each.asked_at.isoformat(), **open_parts}
            typer.echo(json.dumps({"kind": "erasure", "is_deleted": each.deleted_at is not None, **told}))
        return
    table = Table("profile", "asked", "deleted", "lake", "history and positions")
    for each in listed:
        table.add_row(
            each.profile_id,
            f"{each.asked_at:%Y-%m-%d %H:%M}",
            f"{each.deleted_at:%Y-%m-%d %H:%M}" if each.deleted_at else "no",
            "waits for event-sink" if each.waits_for_lake else "erased",
            "kept" if not each.deleted_at else "waits for housekeeping" if each.waits_for_watching else "erased",
        )
    Console().print(table)


async def _erasures(settings: Settings) -> "list[Erasure]":
    async with open_stores(settings) as stores:
        return await stores.lake.erasures()


async def _erase(settings: Settings, profile_id: str) -> "tuple[int, Erased | None]":
    """Deleted findings, and what was erased from files; None: this environment cannot rewrite files."""
    async with open_stores(settings) as stores:
        await stores.catalogue.ping()
        await stores.lake.ask_erasure(profile_id)
        found = await stores.lake.delete_findings([profile_id])
        if not arrow_is_installed():
            return found, None
        from marquee.ingest.lake.erasure import erase_asked

        return found, await erase_asked(stores.lake, settings.state, search_all=True)
