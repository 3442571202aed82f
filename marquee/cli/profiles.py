"""`marquee profiles [FILE]`: lists the encoding profiles, or checks one of one's own and shows what it means.

Exit code 2 for a profile that cannot be used: the line says file, line, field and what to do.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from marquee.profiles import Profile, VideoProfile, load_profile, shipped_profiles
from marquee.settings import load_settings


def profiles(
    file: Annotated[Path | None, typer.Argument(help="A profile of your own, as YAML.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the encoding profiles, or check one of your own."""
    used = load_settings().profile
    found = shipped_profiles() if file is None else [load_profile(str(file.absolute()))]
    own = None
    if file is None and used not in {one.name for one in found}:
        own = load_profile(used)
        found.append(own)
    if as_json:
        for one in found:
            typer.echo(json.dumps(_described(one)))
        return
    table = Table("profile", "ladder", "codecs", "hash", "")
    for one in found:
        in_use = file is None and (one is own or one.name == used)
        table.add_row(
            f"[bold]{one.name}[/] (in use)" if in_use else one.name,
            one.ladder,
            "\n".join(_codec(video) for video in one.videos),
            one.hash[:12],
            one.description,
        )
    Console().print(table)


def _codec(video: VideoProfile) -> str:
    quality = f"{video.codec} {video.preset}, CRF {video.crf}, {video.bit_depth} bit"
    return quality + (", optional" if video.optional else "")


def _described(one: Profile) -> dict[str, Any]:
    return {**msgspec.to_builtins(one), "hash": one.hash}
