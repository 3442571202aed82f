"""A PostgreSQL older than the wheel's, such as Debian's 15: the installed programs with a folder and a port of the test.

The distribution's own server is never used. Texts are sorted and compared by ICU's American English, so a test fails if code
depends on the C collation of the wheel's server.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest

from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings

OLDEST = 15
WHEELS = 18
REMEDY = (
    f"no PostgreSQL from {OLDEST} to {WHEELS - 1} is installed beside the wheel's {WHEELS}: "
    "on Debian, `apt install postgresql` brings one; its server need not run"
)


@cache
def programs() -> Path | None:
    """Folder of the programs: the oldest installed version that is new enough and older than the wheel's."""
    found = {version: folder for folder in _folders() if (version := _version(folder)) in range(OLDEST, WHEELS)}
    return found[min(found)] if found else None


def _folders() -> Iterator[Path]:
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    if asked := shutil.which("pg_config"):
        done = subprocess.run([asked, "--bindir"], capture_output=True, text=True, timeout=10, check=False)
        yield Path(done.stdout.strip() or "/nonexistent")


def _version(folder: Path) -> int:
    """The major version, or 0 where there is no server (`pg_config` comes with the client's headers alone)."""
    if not all((folder / program).is_file() for program in ("postgres", "initdb")):
        return 0
    done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=False)
    said = re.search(r" (\d+)", done.stdout)
    return int(said[1]) if said else 0


def older_postgres(settings: Settings) -> Program:
    """The server on the platform's port for PostgreSQL; creates its folder at the first start. Skips if there is none."""
    found = programs()
    if found is None:
        pytest.skip(REMEDY)
    folder = settings.state / "older-postgres"
    if not (folder / "PG_VERSION").exists():
        _create_cluster(found, folder, settings.postgres_password.get_secret_value())
    port = settings.port("postgres")
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "wal_level": "logical"}

    async def ready() -> None:
        connection = await psycopg.AsyncConnection.connect(
            settings.postgres_url("postgres"), connect_timeout=int(PROBE_SECONDS)
        )
        await connection.close()

    return Program(
        name="older-postgres",
        command=(
            *(str(found / "postgres"), "-D", str(folder)),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ),
        ready=ready,
        stage=10,
        unprivileged=True,
        interrupt=True,
        stop_seconds=20,
        port=port,
    )


def _create_cluster(found: Path, folder: Path, password: str) -> None:
    password_file = folder.with_suffix(".password")
    password_file.write_text(password)
    making = Program(
        name="initdb",
        command=(
            *(str(found / "initdb"), "-D", str(folder), "-U", "marquee", "--no-sync"),
            *("--auth=scram-sha-256", "--pwfile", str(password_file)),
            *("-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"),
        ),
        ready=_never_asked,
        stage=0,
        unprivileged=True,
    )
    done = subprocess.run(making.launch_command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"initdb of {found} failed: {done.stderr}"


async def _never_asked() -> None:
    return None
