"""`marquee settings`: shows every setting, its current value and its meaning. Secrets are never printed.

With `--markdown` it prints docs/operating/settings.md, which is generated from `marquee.settings.groups` only. A test compares
the page with this output.
"""

import re
from typing import Annotated, Final

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.console import Console
from rich.table import Table

from marquee.settings import load_settings
from marquee.settings.groups import GROUPS
from marquee.settings.renamed import NEW_NAMES

_PASSWORD: Final = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")
_BINARY_UNITS: Final = ((1024**3, "GiB"), (1024**2, "MiB"))
_INTRODUCTION: Final = """\
# Settings

This page is made by `marquee settings --markdown > docs/operating/settings.md`. Do not edit it: change the descriptions in
`marquee/settings/groups.py`.

A value comes from the environment variable, else from `marquee.env` in the state folder, else from the default below.
`.venv/bin/marquee settings` prints the current values, without the secrets."""

_OLD_NAMES: Final = (
    "An old name works for one more release and logs a warning. If both names are set, the new one counts."
)


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"MARQUEE_{name.upper()}"


def default_of(name: str, info: FieldInfo) -> str:
    """The default as the page shows it; empty for a setting without one."""
    if info.annotation is SecretStr and name.startswith("s3_lake_"):
        return ""
    if info.annotation is SecretStr:
        return "made at the first start"
    if info.default is PydanticUndefined:
        return "two, or one on a host with one core" if name == "api_workers" else "one per core"
    if name.endswith("_bytes"):
        size, unit = next((size, unit) for size, unit in _BINARY_UNITS if info.default % size == 0)
        return f"`{info.default}` ({info.default // size} {unit})"
    return f"`{info.default}`" if info.default != "" else ""


def markdown_page() -> str:
    """The content of docs/operating/settings.md."""
    lines = [_INTRODUCTION, ""]
    for group in GROUPS:
        heading, _, introduction = (group.__doc__ or "").partition("\n")
        lines += [f"## {heading.strip()}", ""]
        lines += [" ".join(introduction.split()), ""] if introduction.strip() else []
        lines += ["| setting | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{variable_of(name)}` | {default_of(name, info)} | {info.description} |"
            for name, info in group.model_fields.items()
        ]
        lines.append("")
    if NEW_NAMES:
        lines += ["## Old names", "", _OLD_NAMES, "", "| old name | new name |", "|---|---|"]
        lines += [f"| `{variable_of(old)}` | `{variable_of(new)}` |" for old, new in sorted(NEW_NAMES.items())]
    return "\n".join(lines).rstrip()


def shown(value: object) -> str:
    """A setting's value for display: "set" for a secret, and a URL without its password."""
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    return _PASSWORD.sub(r"\1***@", str(value))


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/operating/settings.md instead.")] = False,
) -> None:
    """Show every setting, its value now and its meaning."""
    if markdown:
        typer.echo(markdown_page())
        return
    now = load_settings()
    table = Table("setting", "now", "meaning")
    for group in GROUPS:
        for name, info in group.model_fields.items():
            table.add_row(variable_of(name), shown(getattr(now, name)), info.description)
        table.add_section()
    Console().print(table)
