"""Where the project's own files are: configuration templates and the built web client. Decided here and nowhere else."""

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
"""The checkout: the package is installed from it in place."""

TEMPLATES: Final = PROJECT / "deploy" / "templates"
"""Templates of the programs' configuration files, written for people to read."""

WEB_CLIENT: Final = PROJECT / "web" / "dist"
"""The built web client; missing until `make web` has run."""
