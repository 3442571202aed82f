"""Rules of the project that no linter knows: who may import a driver, read the environment, and what is committed."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PACKAGES = ("marquee", "api", "jobs", "assets", "orchestration")
SOURCES = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]

DRIVERS = {"psycopg", "sqlalchemy", "sqlmodel", "alembic", "redis", "boto3", "botocore", "tantivy"}
DRIVERS |= {"kafka", "cassandra", "elasticsearch"}
MAY_IMPORT_DRIVERS = ("marquee/stores/", "marquee/migrations/", "marquee/platform/", "marquee/engines/")
"""Whoever starts an engine asks it whether it is ready, by its own client."""


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_only_the_stores_import_an_engines_driver(path: Path) -> None:
    name = str(path.relative_to(PROJECT))
    if name.startswith(MAY_IMPORT_DRIVERS):
        return
    drivers = _imports(path) & DRIVERS
    assert not drivers, f"{name} imports {sorted(drivers)}: ask the store's contract instead"


def test_nothing_but_the_settings_reads_the_environment() -> None:
    allowed = {"marquee/settings.py", "marquee/platform/launch.py", "marquee/platform/leftovers.py"}
    reading = re.compile(r"os\.environ\.get\(|os\.getenv\(|os\.environ\[[^\]]+\](?!\s*=)")
    readers = {str(path.relative_to(PROJECT)) for path in SOURCES if reading.search(path.read_text())}
    assert readers <= allowed, (
        f"{sorted(readers - allowed)} read the environment; a value belongs in marquee/settings.py"
    )


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True, timeout=30)
    return [PROJECT / name for name in listed.stdout.decode().split("\0") if name]


def test_locks_name_no_package_index() -> None:
    address = re.compile(r"--(extra-)?index-url|\"resolved\"\s*:\s*\"http|registry\s*=\s*\"?http|files\.python")
    for path in _committed():
        if path.name in {"package-lock.json", ".npmrc"} or path.parent.name == "requirements":
            found = address.search(path.read_text())
            assert found is None, f"{path.relative_to(PROJECT)} names a package index: {found and found.group()}"


def test_committed_files_are_small() -> None:
    total = sum(path.stat().st_size for path in (PROJECT / "tests" / "fixtures").rglob("*") if path.is_file())
    assert total < 5_000_000, f"the fixtures have grown to {total} bytes"
    large = [
        str(path.relative_to(PROJECT)) for path in _committed() if path.is_file() and path.stat().st_size > 1_500_000
    ]
    assert not large, f"{large} are too large to be committed: generate them"


def test_modules_have_a_docstring() -> None:
    bare = [
        str(path.relative_to(PROJECT)) for path in SOURCES if ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not bare, f"{bare} do not say what they own"
