"""What an engine is: its files, its programs, the URLs that it gives a platform; and where one instance of it lives."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marquee.platform.state import write_privately
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings

CREDENTIALS_FILE: Final = "credentials"


@dataclass(frozen=True)
class EngineHome:
    """One instance of an engine. `settings` are the instance's own: their `state` is its folder."""

    settings: Settings
    ports: Mapping[str, int]
    """By the names in `Engine.port_names`."""

    @property
    def folder(self) -> Path:
        """Everything of this instance: data, configuration, logs."""
        return self.settings.state


def own_password(home: EngineHome) -> str:
    """The instance's password, made the first time and kept with mode 0600."""
    path = home.folder / CREDENTIALS_FILE
    if not path.is_file():
        write_privately(path, secrets.token_hex(24))
    return path.read_text()


async def _nothing(_: EngineHome) -> None:
    return None


def _no_files(_: Settings) -> None:
    return None


@dataclass(frozen=True)
class Engine:
    """`fetch` brings its files into the cache (idempotent, blocking); `programs` writes the configuration of an instance
    and returns what to start, whose `ready` is a real client's round trip; `prepare` comes once all of them answer
    (idempotent), and the engine is usable when it returns. `urls` are the settings to give a platform.

    `fetch` and `programs` raise `PlatformUnavailable` with the remedy for what is missing.
    """

    name: str
    port_names: tuple[str, ...]
    programs: Callable[[EngineHome], Sequence[Program]]
    urls: Callable[[EngineHome], Mapping[str, str]]
    fetch: Callable[[Settings], None] = _no_files
    prepare: Callable[[EngineHome], Awaitable[None]] = _nothing
