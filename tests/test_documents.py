"""What the documents say exists: paths and symbols, links and anchors, commands and their options, the settings page."""

import ast
import importlib
import pkgutil
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import api
import marquee
from marquee.cli import COMMANDS, command_line
from marquee.cli.settings import markdown_page
from marquee.errors import MarqueeError
from marquee.http_problems import BY_STATUS, EDGE_REASONS, GATEWAY_REASONS, S3_REASONS, web_client_missing
from marquee.notes.page import markdown_page as notes_page
from tests.harness.parsing import parsed

PROJECT = Path(__file__).parent.parent
_NAMED = re.findall(r"`([\w./*]+\.(?:py|md|yaml)(?:::\w+)?|[\w./*]+/)`", (PROJECT / "ARCHITECTURE.md").read_text())
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INSIDE_CODES = frozenset(
    (
        *("lease-lost", "rebuild-overtaken", "object-missing", "stage-missing"),
        *("sink-overtaken", "erasures-changed", "lake-file-retired"),
        *("events-unusable", "batch-not-judged", "marts-not-built"),
    )
)
"""Codes that no client gets."""
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("named", sorted(set(_NAMED)))
def test_architecture_names_only_what_exists(named: str) -> None:
    path, _, symbol = named.partition("::")
    found = [PROJECT / path] if "*" not in path else list(PROJECT.glob(path))
    assert found, f"ARCHITECTURE.md names {path}, and nothing matches it"
    assert all(each.exists() for each in found), f"ARCHITECTURE.md names {path}, which does not exist"
    if symbol:
        nodes = list(ast.walk(parsed(found[0].read_text())))
        defined = {node.name for node in nodes if hasattr(node, "name")}
        defined |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        assert symbol in defined, f"ARCHITECTURE.md says that {path} defines {symbol}"


def test_architecture_tells_the_layers_that_the_linter_holds() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["name"].startswith("Inside marquee"))
    held = [set(re.split(r" [:|] ", layer.replace("marquee.", ""))) for layer in layers]
    text = " ".join((PROJECT / "ARCHITECTURE.md").read_text().split())
    told = re.search(r"Inside `marquee`: `([^`]+)`", text)
    assert told, "ARCHITECTURE.md does not tell the layers inside marquee"
    assert [set(layer.split(", ")) for layer in told[1].split(" > ")] == held, (
        f"ARCHITECTURE.md tells other layers than pyproject.toml: {' > '.join(', '.join(sorted(each)) for each in held)}"
    )


def _documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=PROJECT, capture_output=True, check=True, timeout=30)
    return [PROJECT / name for name in listed.stdout.decode().split("\0") if name and (PROJECT / name).is_file()]


def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


_IN_TREE = re.compile(
    r"`((?:api|assets|bench|deploy|docs|fixtures|jobs|marquee|orchestration|tests|web)/[\w./*-]*)(?:::\w+)?`"
)


_MADE = {"deploy/.env", "web/dist/"}
"""What the commands in the documents make."""


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_paths_in_documents_exist(document: Path) -> None:
    for path in set(_IN_TREE.findall(document.read_text())) - _MADE:
        found = list(PROJECT.glob(path)) if "*" in path else [PROJECT / path]
        assert any(each.exists() for each in found), (
            f"{document.relative_to(PROJECT)} names {path}, which does not exist"
        )


_CODE = "api|assets|jobs|marquee|orchestration"
_MODULE_IN_DOCSTRING = re.compile(rf"`((?:{_CODE})(?:\.\w+)+|(?:{_CODE})/[\w/]+\.py)`")
_NO_MODULES = {"marquee.env", "marquee.preload"}
"""A file of the state folder, and a method of the supervisor's XML-RPC."""


@pytest.mark.parametrize("package", _CODE.split("|"))
def test_modules_in_docstrings_exist(package: str) -> None:
    for path in sorted((PROJECT / package).rglob("*.py")):
        nodes = [node.value for node in ast.walk(parsed(path.read_text())) if isinstance(node, ast.Expr)]
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        for named in set(_MODULE_IN_DOCSTRING.findall("\n".join(texts))) - _NO_MODULES:
            assert _is_in_code(named), f"{path.relative_to(PROJECT)} names {named}, which does not exist"


def _is_in_code(named: str) -> bool:
    """Whether a path exists, or a dotted name is a package, a module, or a word of one."""
    if named.endswith(".py"):
        return (PROJECT / named).is_file()
    parent, _, word = named.rpartition(".")
    module, outer = (PROJECT / each.replace(".", "/") for each in (named, parent))
    if module.is_dir() or module.with_suffix(".py").is_file():
        return True
    holder = outer / "__init__.py" if outer.is_dir() else outer.with_suffix(".py")
    return holder.is_file() and re.search(rf"\b{word}\b", holder.read_text()) is not None


def test_the_list_of_decisions_is_whole() -> None:
    folder = PROJECT / "docs" / "adr"
    listed = set(_LINK.findall((folder / "README.md").read_text()))
    missing = sorted({path.name for path in folder.glob("0*.md")} - listed)
    assert not missing, f"docs/adr/README.md does not list {missing}"


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_somewhere(document: Path) -> None:
    name = document.relative_to(PROJECT)
    for target in _LINK.findall(_FENCED.sub("", document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), f"{name} links to {target}, and {path} does not exist"
        if anchor:
            assert anchor in _anchors(linked), f"{name} links to {target}, and {linked.name} has no such heading"


def test_the_settings_page_is_made_from_the_code() -> None:
    page = (PROJECT / "docs" / "operating" / "settings.md").read_text()
    assert page == markdown_page() + "\n", (
        "docs/operating/settings.md is old: run `.venv/bin/marquee settings --markdown > docs/operating/settings.md`"
    )


def test_the_page_of_notes_is_made_from_the_code() -> None:
    page = (PROJECT / "docs" / "operating" / "notes.md").read_text()
    assert page == notes_page() + "\n", (
        "docs/operating/notes.md is old: run `.venv/bin/python -m marquee.notes.page > docs/operating/notes.md`"
    )


def test_the_page_of_engine_urls_has_every_parameter() -> None:
    page = (PROJECT / "docs" / "operating" / "engine-urls.md").read_text()
    declared = re.compile(r"^_?(?:TLS_)?PARAMETERS: Final = \(([^)]*)\)", re.MULTILINE)
    texts = [path.read_text() for path in (PROJECT / "marquee" / "stores").rglob("*.py")]
    names = {name for text in texts for body in declared.findall(text) for name in re.findall(r'"(\w+)"', body)}
    assert {"ca", "acks"} <= names, "the parameters are declared in another way now: read them here in that way"
    missing = sorted(name for name in names if not re.search(rf"[`?&]{name}\b", page))
    assert not missing, f"docs/operating/engine-urls.md says nothing of {missing}"


def _pages() -> list[Path]:
    """The pages that people read from their beginning; the settings page is a table to look things up in."""
    return [
        path
        for path in _documents()
        if path == PROJECT / "README.md" or (path.parent.name == "operating" and path.name != "settings.md")
    ]


@pytest.mark.parametrize("page", _pages(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_pages_are_short(page: Path) -> None:
    lines = len(page.read_text().splitlines())
    assert lines <= 150, f"{page.relative_to(PROJECT)} has {lines} lines: split it, a page has 150 at most"


def _commands(document: Path) -> list[str]:
    """The lines of a document's code blocks."""
    return [line.strip() for block in _FENCED.findall(document.read_text()) for line in block.splitlines()]


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_commands_in_documents_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    inline = re.findall(r"`((?:\.venv/bin/)?marquee [a-z][^`]*|make [a-z][^`]*)`", document.read_text())
    for line in [*_commands(document), *inline]:
        if made := re.match(r"make ([a-z]+)", line):
            assert made[1] in targets, f"{document.name} says `{line}`, and the Makefile has no {made[1]}"
        if called := re.match(r"(?:\.venv/bin/)?marquee ([a-z-]+)", line):
            assert called[1] in COMMANDS, f"{document.name} says `{line}`, and there is no command {called[1]}"
            options = re.findall(r" (--[a-z-]+)", line.partition("#")[0])
            known = set(_options(called[1])) if options else set()
            assert set(options) <= known, f"{document.name} says `{line}`, and {called[1]} has only {sorted(known)}"


def _options(command: str) -> list[str]:
    """Every option of a command and of its subcommands."""
    found = get_command(command_line([command]))
    return [option for parameter in _parameters(found.commands[command]) for option in parameter.opts]


def _parameters(command: Any) -> Iterator[Any]:
    yield from command.params
    for below in getattr(command, "commands", {}).values():
        yield from _parameters(below)


def test_the_api_page_lists_every_error_code() -> None:
    for package in (api, marquee):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "migrations.env")):
                importlib.import_module(module.name)  # so that every error is defined
    text = (PROJECT / "docs" / "api.md").read_text()
    listed = set(re.findall(r"^\| (\d{3}) \| `([a-z0-9-]+)` \|", text, re.MULTILINE))
    doors = [*BY_STATUS.values(), *EDGE_REASONS, *GATEWAY_REASONS, *S3_REASONS, web_client_missing("build it")]
    raised = [
        kind for kind in _kinds(MarqueeError) if kind.status != 500 and kind.__module__.startswith(("api", "marquee"))
    ]
    said = {(str(one.status), one.code) for one in (*doors, *raised) if one.code not in INSIDE_CODES}
    assert not said - listed, f"docs/api.md lacks {sorted(said - listed)}"


def _kinds(kind: type[MarqueeError]) -> Iterator[type[MarqueeError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
