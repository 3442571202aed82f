"""What a cluster engine is: its files, its programs, the URLs by which a platform uses it. And what an instance of it is.

Each module of this folder defines one `Engine`. `instances` starts and stops them. An instance keeps a password of its own in
the file `credentials` (mode 0600) of its folder.
"""

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
    """One instance of an engine. `settings`: the platform's, but with the instance's folder as `state`."""

    settings: Settings
    ports: Mapping[str, int]
    """Name in `Engine.port_names` -> port number."""

    @property
    def folder(self) -> Path:
        """Folder of this instance: its data, configuration and logs."""
        return self.settings.state


def own_password(home: EngineHome) -> str:
    """The instance's password. The first call makes it and stores it with mode 0600."""
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
    """One kind of engine, as functions in the order of their use.

    `fetch`: puts its files into the cache (idempotent, blocking). `programs`: writes an instance's configuration and returns
    the programs to start; each `ready` is a round trip of a real client. `prepare`: called once all programs are ready
    (idempotent); afterwards the engine is usable. `urls`: the settings by which a platform uses it (variable -> URL).
    `fetch` and `programs` raise `PlatformUnavailable` with the remedy.
    """

    name: str
    port_names: tuple[str, ...]
    programs: Callable[[EngineHome], Sequence[Program]]
    urls: Callable[[EngineHome], Mapping[str, str]]
    fetch: Callable[[Settings], None] = _no_files
    prepare: Callable[[EngineHome], Awaitable[None]] = _nothing
