"""The OpenAPI document as a committed file, `api/openapi.json`. The web client's types are generated from that file.

`python -m api.openapi_document` writes it. `make lint` fails if the application's document differs.
"""

import secrets
from typing import Final

import msgspec

from api.app import create_app
from api.committed_file import PROJECT, write_or_check
from marquee import token_keys
from marquee.settings import load_settings

DOCUMENT_FILE: Final = PROJECT / "api" / "openapi.json"


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


def main() -> None:
    """Write the document, or check it."""
    write_or_check(DOCUMENT_FILE, render(), subject="The OpenAPI document", module="api.openapi_document")


if __name__ == "__main__":
    main()
