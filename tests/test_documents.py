"""What the documents say exists: every path and symbol of ARCHITECTURE.md, every setting in the README's table."""

import ast
import re
from pathlib import Path

import pytest

from marquee.cli.settings import markdown_table

PROJECT = Path(__file__).parent.parent
_NAMED = re.findall(r"`([\w./*]+\.(?:py|md|yaml)(?:::\w+)?|[\w./*]+/)`", (PROJECT / "ARCHITECTURE.md").read_text())


@pytest.mark.parametrize("named", sorted(set(_NAMED)))
def test_architecture_names_only_what_exists(named: str) -> None:
    path, _, symbol = named.partition("::")
    found = [PROJECT / path] if "*" not in path else list(PROJECT.glob(path))
    assert found, f"ARCHITECTURE.md names {path}, and nothing matches it"
    assert all(each.exists() for each in found), f"ARCHITECTURE.md names {path}, which does not exist"
    if symbol:
        defined = {node.name for node in ast.walk(ast.parse(found[0].read_text())) if hasattr(node, "name")}
        assert symbol in defined, f"ARCHITECTURE.md says that {path} defines {symbol}"


def test_readme_has_the_settings_table_of_the_code() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert markdown_table() in readme, "README's settings table is old: paste what `marquee settings --markdown` prints"
