"""Prints the notes of an upload or a title: what was left out, guessed, repaired or found damaged. The API orders them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

_COLOUR: Final = {"info": "dim", "warning": "yellow", "serious": "bold red"}


def print_notes(console: Console, name: str, notes: Iterable[Mapping[str, Any]]) -> None:
    """One line a note: severity, film, sentence, code."""
    for one in notes:
        line = escape(f"{one['severity']}: {name}: {one['sentence']} ({one['code']})")
        colour = _COLOUR.get(one["severity"], "default")
        console.print(f"[{colour}]{line}[/]", highlight=False, soft_wrap=True)
