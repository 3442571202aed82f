"""Where the project's own files are: templates, the built web client, the demo's films. No other module works these paths out."""

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
"""The checkout: the package is installed from it in place."""

TEMPLATES: Final = PROJECT / "deploy" / "templates"
"""Templates of the programs' configuration files, written for people to read."""

WEB_CLIENT: Final = PROJECT / "web" / "dist"
"""The built web client; missing until `make web` has run."""

FIXTURES: Final = PROJECT / "fixtures"
"""The films of the demo and of the tests. They come with a checkout, and are in no wheel and no image."""
