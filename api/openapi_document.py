"""The OpenAPI document as a committed file, `api/openapi.json`: what the web client's types are made from.

`python -m api.openapi_document` writes it. With `--check` (part of `make lint`) it writes nothing, and fails where the
application says something else: the API's wire changes only by a commit that shows the change.
"""

import argparse
import difflib
import secrets
import sys
from pathlib import Path
from typing import Final

import msgspec

from api.app import create_app
from marquee import token_keys
from marquee.settings import load_settings

COMMITTED: Final = Path(__file__).parent / "openapi.json"
REMEDY: Final = "If that is meant, run `python -m api.openapi_document` and commit api/openapi.json with it."
MAX_LINES: Final = 60
"""Of the difference that is shown."""


def render() -> str:
    """What the application says, with sorted keys and one value a line. No setting changes it."""
    settings = load_settings(
        # Without them there is no application. They sign nothing here.
        token_private_key=token_keys.generate_private_key(),
        cursor_secret=secrets.token_hex(16),
        edge_secret=secrets.token_hex(16),
    )
    document = create_app(settings).openapi_schema.to_schema()
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2).decode() + "\n"


def difference(committed: str, current: str) -> str:
    """Empty where both say the same."""
    lines = list(
        difflib.unified_diff(
            committed.splitlines(),
            current.splitlines(),
            fromfile="api/openapi.json",
            tofile="the application",
            lineterm="",
        )
    )
    left_out = [f"... and {len(lines) - MAX_LINES} lines more"] if len(lines) > MAX_LINES else []
    return "\n".join([*lines[:MAX_LINES], *left_out])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m api.openapi_document", description="Write api/openapi.json.")
    parser.add_argument("--check", action="store_true", help="Write nothing; fail where the file says something else.")
    arguments = parser.parse_args()
    current = render()
    if not arguments.check:
        COMMITTED.write_text(current)
        return
    if found := difference(COMMITTED.read_text() if COMMITTED.is_file() else "", current):
        sys.exit(f"The OpenAPI document changed:\n{found}\n{REMEDY}")


if __name__ == "__main__":
    main()
