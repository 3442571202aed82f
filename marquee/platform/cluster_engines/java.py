"""Which Java runs an engine: the setting's, else the wheel's, else one that is found and says that it is new enough."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from marquee.errors import PlatformUnavailable
from marquee.platform.programs import binaries
from marquee.settings import Settings

INSTALLED: Final = Path("/usr/lib/jvm")
"""Where Linux distributions put Javas that may not be the default one."""


def java_17(settings: Settings) -> Path:
    """For Kafka and Cassandra (which dies on 25): `MARQUEE_JAVA_17`, else the wheel's 17.

    Raises `PlatformUnavailable` where the setting names no Java 17.
    """
    if not settings.java_17:
        return binaries.java()
    return _named(settings.java_17, "MARQUEE_JAVA_17", "a Java 17", lambda major: major == 17)


def java_21(settings: Settings) -> Path | None:
    """For Elasticsearch: `MARQUEE_JAVA_21`, else one found here that is 21 or newer, else None.

    Raises `PlatformUnavailable` where the setting names no such Java.
    """
    if settings.java_21:
        return _named(settings.java_21, "MARQUEE_JAVA_21", "a Java 21 or newer", lambda major: major >= 21)
    return next((java for java in _found() if (major_version(java) or 0) >= 21), None)


def major_version(java: Path) -> int | None:
    """What a `java` says that it is; None where it does not run."""
    try:
        done = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return int(said[1]) if said and done.returncode == 0 else None


def _named(value: str, setting: str, what: str, fits: Callable[[int], bool]) -> Path:
    path = Path(value).expanduser()
    java = path / "bin" / "java" if path.is_dir() else path
    major = major_version(java)
    if major is None or not fits(major):
        raise PlatformUnavailable(f"{setting} is {value}, which is not {what}: name one, or leave it empty.")
    return java


def _found() -> Iterator[Path]:
    if on_path := shutil.which("java"):
        yield Path(on_path)
    if INSTALLED.is_dir():
        yield from sorted(INSTALLED.glob("*/bin/java"), reverse=True)
