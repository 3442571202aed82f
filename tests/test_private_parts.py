"""Private parts of libraries: each that is used is listed, with what to look at when an upgrade has moved it."""

import ast
import importlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.parsing import parsed
from tests.harness.private_parts import PRIVATE_PARTS, PrivatePart

PROJECT = Path(__file__).parent.parent
LISTED = {part.name for part in PRIVATE_PARTS}
DOCUMENTED = {"_exit", "_replace", "_asdict", "_fields"}
"""Public in spite of their names: `os._exit`, and the methods of named tuples."""
_PRIVATE = re.compile(r"(^|\.)_[a-z]\w*", re.IGNORECASE)
_PRIVATE_MODULE = re.compile(r"[a-z]\w*(\.\w+)*\._[a-z]\w*(\.\w+)*")
"""In a string: what is started or imported by its name."""


def _exists(name: str) -> bool:
    """Whether a module, what is in it, or an attribute that a class or its bases set on themselves is there."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for number, attribute in enumerate(parts[count:], start=count + 1):
            if not hasattr(found, attribute):
                return number == len(parts) and inspect.isclass(found) and _is_set_by(found, attribute)
            found = getattr(found, attribute)
        return True
    return False


def _is_set_by(kind: type, attribute: str) -> bool:
    sources = [inspect.getsource(each) for each in kind.__mro__ if each.__module__ != "builtins"]
    return any(re.search(rf"self\.{attribute}\b", source) for source in sources)


@pytest.mark.parametrize("part", PRIVATE_PARTS, ids=lambda part: part.name)
def test_a_private_part_is_where_it_was(part: PrivatePart) -> None:
    assert _exists(part.name), (
        f"An upgrade moved {part.name}, which {part.used_in} uses. Why: {part.why} Look at {part.look_at}."
    )
    assert part.name.rsplit(".", 1)[-1] in (PROJECT / part.used_in).read_text(), (
        f"{part.used_in} does not use {part.name} any more: take it off the list"
    )


def test_a_part_that_has_moved_is_noticed() -> None:
    assert not _exists("dagster._core.launcher.NoSuchResult")
    assert not _exists("dagster._no_such_module")
    assert not _exists("kafka.coordinator.consumer.ConsumerCoordinator._no_such_attribute")


def _sources() -> dict[str, ast.Module]:
    listed = subprocess.run(["git", "ls-files", "-z", "*.py"], cwd=PROJECT, capture_output=True, check=True, timeout=30)
    names = [name for name in listed.stdout.decode().split("\0") if name and (PROJECT / name).is_file()]
    return {name: parsed((PROJECT / name).read_text()) for name in names}


def _own_names(trees: list[ast.Module]) -> set[str]:
    """Every name that the project itself defines: functions, classes, variables, attributes."""
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            found.add(node.attr)
    return found


def _private_uses(tree: ast.Module, own: set[str]) -> Iterator[str]:
    """Dotted names of private modules and what is imported from them; `?.name` for an attribute that is not our own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (name for each in node.names if _PRIVATE.search(name := f"{node.module}.{each.name}"))
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if _PRIVATE.search(each.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _PRIVATE_MODULE.fullmatch(node.value):
                yield node.value
        elif isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr) and node.attr not in own | DOCUMENTED:
            yield f"?.{node.attr}"


def test_every_private_part_that_is_used_is_listed() -> None:
    trees = _sources()
    own = _own_names(list(trees.values()))
    listed = LISTED | {f"?.{name.rsplit('.', 1)[-1]}" for name in LISTED}
    for file, tree in trees.items():
        if file.startswith("tests/") and file.endswith("private_parts.py"):
            continue
        unlisted = sorted(set(_private_uses(tree, own)) - listed)
        assert not unlisted, (
            f"{file} uses {unlisted}: use a public part, or list it in tests/harness/private_parts.py with its reason"
        )


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from library._inner import Part", "library._inner.Part"),
        ("from library import _part", "library._part"),
        ("import library._inner", "library._inner"),
        ("command = ['-m', 'library._inner.cli']", "library._inner.cli"),
        ("client._socket.close()", "?._socket"),
        ("self._own.close()", None),
        ("import library.inner", None),
        ("__import__('os').__name__", None),
    ],
)
def test_a_private_part_is_recognised(code: str, found: str | None) -> None:
    assert list(_private_uses(parsed(code), own={"_own"})) == ([] if found is None else [found])
