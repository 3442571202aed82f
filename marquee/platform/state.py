"""The state folder: its layout, its secrets, and what is checked before a start.

The first start creates the folder (mode 0700) and writes the secrets into `marquee.env` (mode 0600). Later starts read them
from there. This module owns the folders that several programs use (`run`, `logs`, `config`), the check for disk space and the
test whether a port is free. Each file is written under another name and then renamed, so that a killed start leaves no
incomplete file.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from types import ModuleType
from typing import Final

import dotenv
from pydantic import SecretStr

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.settings import ENVIRONMENT_FILE, Settings

UNUSABLE_IN_PATHS = "\"'`;#\\{}$%\n"
"""Characters with a special meaning in one of the programs' configuration files."""
MAX_SOCKET_PATH_BYTES = 100
"""The kernel's limit is 107."""


def run_folder(settings: Settings) -> Path:
    """Folder of the process marks (`supervisor/leftovers`), the sockets and the lock."""
    return settings.state / "run"


def logs_folder(settings: Settings) -> Path:
    return settings.state / "logs"


def log_file(settings: Settings, program: str) -> Path:
    return logs_folder(settings) / f"{program}.log"


def configuration(settings: Settings, name: str, text: str) -> Path:
    """Write a program's configuration file with mode 0600 and return its path."""
    path = settings.state / "config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_privately(path, text)
    return path


def socket_path(settings: Settings, name: str) -> Path:
    """Path of a unix socket: in the state folder if it is short enough, else in a private folder below /tmp.

    Raises `PlatformUnavailable` if that private folder belongs to another user.
    """
    path = run_folder(settings) / name
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(settings.state)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"marquee-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o077 or folder.is_symlink():
        raise PlatformUnavailable(
            f"{folder} is not private to this user: remove it, or set MARQUEE_STATE to a shorter path."
        )
    return folder / name


def bootstrap(settings: Settings) -> Settings:
    """Create the state folder and the missing secrets. Returns the settings with all secrets filled in.

    Raises `SettingsInvalid` for a path that cannot be the state folder, or where only one bucket's URL is set. Raises
    `PlatformUnavailable` where the disk has too little space.
    """
    _refuse_one_bucket(settings)
    bootstrap_folders(settings)
    check_disk(settings)
    return _with_secrets(settings)


def _refuse_one_bucket(settings: Settings) -> None:
    """Both buckets must be on the same server: the keys that a start makes are valid on this host's server only."""
    urls = {"MARQUEE_OBJECTS_URL": settings.objects_url, "MARQUEE_PUBLISHED_URL": settings.published_url}
    given = [variable for variable, url in urls.items() if url]
    if len(given) == 1:
        missing = next(variable for variable in urls if variable not in given)
        raise SettingsInvalid(
            f"{given[0]} is set and {missing} is not: set both (one server has the keys of both buckets), or neither.",
            field=missing,
        )


def bootstrap_folders(settings: Settings) -> None:
    """Create the state folder with mode 0700. Raises `SettingsInvalid` for a path that cannot be the state folder."""
    state = settings.state
    if unusable := {character for character in str(state) if character in UNUSABLE_IN_PATHS}:
        raise SettingsInvalid(
            f"MARQUEE_STATE cannot be used: its path has {' '.join(sorted(unusable))!r} in it; choose another folder.",
            field="MARQUEE_STATE",
        )
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
        for folder in (run_folder(settings), logs_folder(settings)):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"MARQUEE_STATE cannot be used: {state}: {error.strerror}; choose a folder that you may write to.",
            field="MARQUEE_STATE",
        ) from error


def check_disk(settings: Settings) -> None:
    """Raise `PlatformUnavailable` if the state folder's disk has less than `settings.min_free_bytes` free."""
    free = shutil.disk_usage(settings.state).free
    if free < settings.min_free_bytes:
        raise PlatformUnavailable(
            f"The disk of {settings.state} has {free / 1024**3:.1f} GiB free and "
            f"{settings.min_free_bytes / 1024**3:.1f} GiB are needed: make room, or set MARQUEE_STATE to a folder elsewhere."
        )


def _token_keys() -> ModuleType:
    # Imported only when keys are made, once in a platform's life: importing cryptography takes longer than a stop.
    from marquee import token_keys

    return token_keys


S3_ACCESS_KEYS: Final = ("s3_access_key", "s3_published_access_key", "s3_edge_access_key")
S3_SECRET_KEYS: Final = ("s3_secret_key", "s3_published_secret_key", "s3_edge_secret_key")
GENERATORS: Final[Mapping[str, Callable[[], str]]] = {
    "cursor_secret": lambda: secrets.token_hex(32),
    "token_private_key": lambda: _token_keys().generate_private_key(),
    "edge_secret": lambda: secrets.token_hex(32),
    "password": lambda: "-".join(secrets.token_hex(2) for _ in range(3)),
    "postgres_password": lambda: secrets.token_hex(24),
    **dict.fromkeys(S3_ACCESS_KEYS, lambda: base64.b32encode(secrets.token_bytes(10)).decode()),
    **dict.fromkeys(S3_SECRET_KEYS, lambda: secrets.token_hex(24)),
}
"""Name of a secret's setting -> function that makes a new value."""


def new_secrets() -> dict[str, str]:
    """A new set of all secrets for a platform on several hosts: environment variable -> value.

    Includes the public half of the token key, which the gateway needs.
    """
    made = {f"MARQUEE_{name.upper()}": generate() for name, generate in GENERATORS.items()}
    return {**made, "MARQUEE_TOKEN_PUBLIC_KEY": _token_keys().public_key(made["MARQUEE_TOKEN_PRIVATE_KEY"])}


def _required_secrets(settings: Settings) -> set[str]:
    """The secrets that this platform uses. An external engine has secrets of its own."""
    required = set(GENERATORS)
    if settings.database_url and settings.dagster_database_url:
        required -= {"postgres_password"}
    if settings.objects_url and settings.published_url:
        required -= {*S3_ACCESS_KEYS, *S3_SECRET_KEYS}
    return required


def stored_secrets(settings: Settings) -> dict[str, str]:
    """The content of `marquee.env`: environment variable -> value. Empty values are left out."""
    path = settings.state / ENVIRONMENT_FILE
    return {name: value for name, value in dotenv.dotenv_values(path).items() if value} if path.is_file() else {}


def _with_secrets(settings: Settings) -> Settings:
    path = settings.state / ENVIRONMENT_FILE
    stored = stored_secrets(settings)
    known: dict[str, SecretStr] = {}
    made: dict[str, str] = {}
    for name in _required_secrets(settings):
        variable = f"MARQUEE_{name.upper()}"
        if getattr(settings, name).get_secret_value():
            continue
        if variable not in stored:
            _refuse_lost_secret(settings, name, path)
            made[variable] = stored[variable] = GENERATORS[name]()
        known[name] = SecretStr(stored[variable])
    if made:
        lines = ["# Made at the first start. These are this platform's secrets: keep them, and keep them private."]
        lines += [f"{variable}={value}" for variable, value in sorted(stored.items())]
        write_privately(path, "\n".join(lines) + "\n")
    return settings.model_copy(update=known)


def _refuse_lost_secret(settings: Settings, name: str, path: Path) -> None:
    if name == "postgres_password" and (settings.state / "postgres" / "PG_VERSION").exists():
        raise PlatformUnavailable(
            f"{path} has no MARQUEE_POSTGRES_PASSWORD, but {settings.state / 'postgres'} was created with one: "
            "restore the file, or set MARQUEE_STATE to a new folder."
        )


def write_privately(path: Path, content: str | bytes) -> None:
    """Replace a file atomically. The file has mode 0600 before its first byte is written."""
    # A random name, not the process id: processes in containers that share the folder may have the same id.
    making = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)


@contextlib.contextmanager
def start_stop_lock(settings: Settings) -> Iterator[None]:
    """Hold the lock of the commands that start or stop this platform.

    Raises `PlatformUnavailable` at once if another command holds it.
    """
    with (run_folder(settings) / "lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise PlatformUnavailable(
                f"Another command is starting or stopping the platform in {settings.state}: wait until that command has ended."
            ) from error
        yield


def port_is_free(host: str, port: int) -> bool:
    """Whether this process could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
