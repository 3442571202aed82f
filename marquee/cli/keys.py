"""`marquee keys rotate | show | new`: the keys of access tokens.

`rotate` gives a platform of one machine a new key while it runs. `new` prints a key pair for a platform of several hosts, whose
keys are rotated by its settings (docs/operating/keys.md).
"""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from marquee import token_keys
from marquee.settings import load_settings


class KeyAction(StrEnum):
    """What `marquee keys` does."""

    ROTATE = "rotate"
    SHOW = "show"
    NEW = "new"


def keys(
    action: Annotated[
        KeyAction, typer.Argument(help="Make a new key sign; show the ids of the accepted keys; print a new key pair.")
    ],
) -> None:
    """Rotate the keys of access tokens while the platform runs; nobody is logged out."""
    match action:
        case KeyAction.ROTATE:
            _rotate()
        case KeyAction.SHOW:
            _show()
        case KeyAction.NEW:
            private = token_keys.generate_private_key()
            typer.echo(f"MARQUEE_TOKEN_PRIVATE_KEY={private}")
            typer.echo(f"MARQUEE_TOKEN_PUBLIC_KEY={token_keys.public_key(private)}")


def _rotate() -> None:
    from marquee.platform.key_rotation import rotate

    done = asyncio.run(rotate(load_settings()))
    Console().print(
        f"The key {done.new} signs now. Tokens of {done.old} are accepted until {_time(done.old_until)}.",
        highlight=False,
        soft_wrap=True,
    )


def _show() -> None:
    settings = load_settings()
    own = settings.token_public_key
    if not own and settings.token_private_key.get_secret_value():
        own = token_keys.public_key(settings.token_private_key.get_secret_value())
    if own:
        typer.echo(f"{_id(own)} signs")
    for public, until in token_keys.other_public_keys(settings.token_other_public_keys.get_secret_value()):
        has_ended = until is not None and until <= datetime.now(UTC).timestamp()
        end = "" if until is None else f"until {_time(until)}"
        typer.echo(f"{_id(public)} {'was' if has_ended else 'is'} accepted {end}".rstrip())


def _id(public: str) -> str:
    return token_keys.public_jwks(public)["keys"][0]["kid"]


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
