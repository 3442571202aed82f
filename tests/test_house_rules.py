"""Rules of the project that no linter knows: who may import a driver, read the environment, and what is committed."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.harness.parsing import parsed

PROJECT = Path(__file__).parent.parent
PACKAGES = ("marquee", "api", "jobs", "assets", "orchestration")
SOURCES = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]

POSTGRESQL = r"(postgres|schema|change_capture)"
DRIVERS = {
    "psycopg": POSTGRESQL,
    "psycopg_pool": POSTGRESQL,
    "sqlalchemy": POSTGRESQL,
    "sqlmodel": POSTGRESQL,
    "alembic": POSTGRESQL,
    "redis": r"valkey",
    "kafka": r"kafka",
    "cassandra": r"cassandra",
    "elasticsearch": r"elasticsearch",
    "tantivy": r"tantivy",
    "boto3": r"s3",
    "botocore": r"s3",
}
"""Each engine's driver, and what a module or a package of the stores that imports it says in its name."""
MAY_IMPORT_DRIVERS = ("marquee/stores/", "marquee/platform/")
"""Whoever starts an engine asks it whether it is ready, by its own client."""
POSTGRESQL_BY_DESIGN = ("marquee.stores.change_capture", "marquee.stores.schema")
"""What change capture and the migrations name: they have one engine wherever the platform runs."""

MAX_MODULE_LINES = 300
"""A longer module has a second theme. Tests, benchmarks and migrations count too."""


def _imported_modules(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, by its full name; also what it takes out of a package."""
    found: set[str] = set()
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def _imports(path: Path) -> set[str]:
    return {module.split(".")[0] for module in _imported_modules(path)}


def _module(path: Path) -> str:
    return str(path.relative_to(PROJECT).with_suffix("")).replace("/", ".").removesuffix(".__init__")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_only_the_stores_import_an_engines_driver(path: Path) -> None:
    name = str(path.relative_to(PROJECT))
    if name.startswith(MAY_IMPORT_DRIVERS):
        return
    drivers = _imports(path) & set(DRIVERS)
    assert not drivers, f"{name} imports {sorted(drivers)}: ask the store's contract instead"


STORES = [path for path in SOURCES if path.is_relative_to(PROJECT / "marquee" / "stores")]


@pytest.mark.parametrize("path", STORES, ids=_module)
def test_a_driver_is_imported_by_the_modules_of_its_own_engine_alone(path: Path) -> None:
    for driver in _imports(path) & set(DRIVERS):
        assert re.search(DRIVERS[driver], _module(path)), (
            f"{_module(path)} imports {driver}, and its name does not say so: contracts and openers know no engine"
        )


def test_no_caller_knows_which_engine_runs() -> None:
    named = re.compile("|".join(DRIVERS.values()))
    engines = {
        module
        for module in map(_module, STORES)
        if named.search(module) and not module.startswith(POSTGRESQL_BY_DESIGN)
    }
    for path in SOURCES:
        if str(path.relative_to(PROJECT)).startswith(("marquee/stores/", "marquee/platform/cluster_engines/")):
            continue
        known = _imported_modules(path) & engines
        assert not known, f"{_module(path)} imports {sorted(known)}: the URL decides, by the package's `open_...`"


def test_nothing_but_the_settings_reads_the_environment() -> None:
    allowed = {
        "marquee/settings/__init__.py",
        "marquee/platform/supervisor/launch.py",
        "marquee/platform/supervisor/leftovers.py",
    }
    reading = re.compile(r"os\.environ\.get\(|os\.getenv\(|os\.environ\[[^\]]+\](?!\s*=)")
    readers = {str(path.relative_to(PROJECT)) for path in SOURCES if reading.search(path.read_text())}
    assert readers <= allowed, (
        f"{sorted(readers - allowed)} read the environment; a value belongs in marquee/settings/groups.py"
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
    kept = [*(PROJECT / "fixtures").rglob("*"), *(PROJECT / "tests" / "upgrade").glob("*.tar.xz")]
    total = sum(path.stat().st_size for path in kept if path.is_file())
    assert total < 5_000_000, f"the fixtures and the releases' states have grown to {total} bytes"
    large = [
        str(path.relative_to(PROJECT)) for path in _committed() if path.is_file() and path.stat().st_size > 1_700_000
    ]
    assert not large, f"{large} are too large to be committed: generate them"


def test_no_module_is_past_300_lines() -> None:
    lengths = {
        path.relative_to(PROJECT): len(path.read_text().splitlines())
        for path in _committed()
        if path.suffix == ".py" and path.is_file()
    }
    long = [f"{path} ({length} lines)" for path, length in sorted(lengths.items()) if length > MAX_MODULE_LINES]
    assert not long, f"past {MAX_MODULE_LINES} lines: {', '.join(long)}. Split each by theme"


def test_modules_have_a_docstring() -> None:
    bare = [str(path.relative_to(PROJECT)) for path in SOURCES if ast.get_docstring(parsed(path.read_text())) is None]
    assert not bare, f"{bare} do not say what they own"
