"""`marquee settings`: every setting, its value now and its meaning; secrets are never printed."""

import re
from typing import Annotated, Final

import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from rich.console import Console
from rich.table import Table

from marquee.settings import Settings, load_settings

_PASSWORD: Final = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")


def settings_rows() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, in the class's order."""
    rows = []
    for name, info in Settings.model_fields.items():
        if info.annotation is SecretStr:
            default = "made at the first start"
        elif info.default is PydanticUndefined:
            default = "one a core"
        else:
            default = str(info.default)
        rows.append((f"MARQUEE_{name.upper()}", default, info.description or ""))
    return rows


def markdown_table() -> str:
    """The README's settings table."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |" for name, default, meaning in settings_rows()
    ]
    return "\n".join(lines)


def shown(value: object) -> str:
    """A setting's value as people may see it: neither a secret nor the password in a URL."""
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    return _PASSWORD.sub(r"\1***@", str(value))


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the README's table instead.")] = False,
) -> None:
    """Show every setting, its value now and its meaning."""
    if markdown:
        typer.echo(markdown_table())
        return
    now = load_settings()
    table = Table("setting", "now", "meaning")
    for name in Settings.model_fields:
        value = getattr(now, name)
        table.add_row(f"MARQUEE_{name.upper()}", shown(value), Settings.model_fields[name].description or "")
    Console().print(table)
