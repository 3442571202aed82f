"""The OpenAPI document as a committed file, `api/openapi.json`. The web client's types are generated from that file.

`python -m api.openapi_document` writes it. With `--check` (part of `make lint`) it writes nothing and fails if the
application's document differs. So the API changes only in a commit that shows the change.
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

DOCUMENT_FILE: Final = Path(__file__).parent / "openapi.json"
REMEDY: Final = "If the change is intended, run `python -m api.openapi_document` and commit api/openapi.json with it."
MAX_LINES: Final = 60
"""Lines of the difference that are shown."""


def render() -> str:
    """The application's document, as JSON with sorted keys and one value a line. No setting changes it."""
    settings = load_settings(
        # The application does not start without secrets. They sign nothing here.
        token_private_key=token_keys.generate_private_key(),
        cursor_secret=secrets.token_hex(16),
        edge_secret=secrets.token_hex(16),
    )
    document = create_app(settings).openapi_schema.to_schema()
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2).decode() + "\n"


def difference(committed: str, current: str) -> str:
    """A unified diff of the two documents, cut at `MAX_LINES`. Empty if they are equal."""
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
    """Write the document, or check it."""
    parser = argparse.ArgumentParser(prog="python -m api.openapi_document", description="Write api/openapi.json.")
    parser.add_argument("--check", action="store_true", help="Write nothing; fail if the file differs.")
    arguments = parser.parse_args()
    current = render()
    if not arguments.check:
        DOCUMENT_FILE.write_text(current)
        return
    if found := difference(DOCUMENT_FILE.read_text() if DOCUMENT_FILE.is_file() else "", current):
        sys.exit(f"The OpenAPI document changed:\n{found}\n{REMEDY}")


if __name__ == "__main__":
    main()
