"""The domain has no I/O and no clock: its modules import nothing that has either. Only `ids` does, for new ids."""

import ast
from pathlib import Path

import pytest

import marquee.domain
from tests.harness.parsing import parsed

MODULES = sorted(Path(marquee.domain.__file__).parent.glob("*.py"))
CLOCK_AND_CHANCE = {"time", "random", "secrets"}
IMPURE = CLOCK_AND_CHANCE | {
    *("asyncio", "io", "os", "shutil", "socket", "subprocess", "sys", "tempfile", "threading"),
    *("dagster", "httpx", "litestar", "pydantic_settings", "sqlalchemy", "sqlmodel", "structlog"),
}


def _roots(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_domain_imports_neither_io_nor_a_clock(path: Path) -> None:
    forbidden = IMPURE - CLOCK_AND_CHANCE if path.stem == "ids" else IMPURE
    found = _roots(path) & forbidden
    assert not found, f"marquee/domain/{path.name} imports {sorted(found)}: hand in the value instead"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_asks_what_time_it_is(path: Path) -> None:
    calls = {node.attr for node in ast.walk(parsed(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not calls & {"now", "utcnow", "today"}, f"marquee/domain/{path.name} reads the clock: hand the time in"
