"""Paths of the project's own files: templates, the built web client, the demo's films. No other module computes these paths.

In a checkout the files lie where people edit them. The wheel contains copies in the same layout below `FILES_IN_WHEEL`
(pyproject.toml, `force-include`), so an installed platform needs no checkout.
"""

from pathlib import Path
from typing import Final

PACKAGES: Final = Path(__file__).resolve().parent.parent.parent
"""The folder that `marquee`, `api`, `jobs`, `assets` and `orchestration` lie in: the checkout, or site-packages."""

FILES_IN_WHEEL: Final = Path(__file__).resolve().parent / "files"

PROJECT: Final = FILES_IN_WHEEL if FILES_IN_WHEEL.is_dir() else PACKAGES
"""The root of the project's files."""

IN_WHEEL: Final = PROJECT == FILES_IN_WHEEL
"""Whether this process runs from an installed wheel: there is no Makefile then."""

TEMPLATES: Final = PROJECT / "deploy" / "templates"
"""Templates of the programs' configuration files; `templates.render` fills them in."""

WEB_CLIENT: Final = PROJECT / "web" / "dist"
"""The built web client; in a checkout it is missing until `make web` has run."""

FIXTURES: Final = PROJECT / "fixtures"
"""The films of the demo and of the tests."""


def how_to_reinstall(*, in_wheel: bool = IN_WHEEL) -> str:
    """What to do where a program of this environment is missing or does not run."""
    return "install Marquee's wheel and its dependencies again" if in_wheel else "reinstall with `make install`"


def how_to_get_web_client(*, in_wheel: bool = IN_WHEEL) -> str:
    """What to do where `WEB_CLIENT` is empty."""
    return "install a wheel that contains the web client" if in_wheel else "build it with `make web`"
