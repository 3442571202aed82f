"""Files that are made from the application and committed: `api/openapi.json` and `web/src/domain/rules.ts`.

The module that makes one calls `write_or_check`. With `--check` (part of `make lint`) it writes nothing and fails if the
file differs. So what the file states changes only in a commit that shows the change.
"""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
MAX_LINES: Final = 60
"""Lines of the difference that are shown."""


def difference(name: str, committed: str, current: str) -> str:
    """A unified diff of the two texts of the file `name`, cut at `MAX_LINES`. Empty if they are equal."""
    lines = list(
        difflib.unified_diff(
            committed.splitlines(), current.splitlines(), fromfile=name, tofile="the application", lineterm=""
        )
    )
    left_out = [f"... and {len(lines) - MAX_LINES} lines more"] if len(lines) > MAX_LINES else []
    return "\n".join([*lines[:MAX_LINES], *left_out])


def remedy(name: str, module: str) -> str:
    """What to do if the file `name`, which `module` writes, differs."""
    return f"If the change is intended, run `python -m {module}` and commit {name} with it."


def write_or_check(file: Path, current: str, *, subject: str, module: str) -> None:
    """The command line of `module`: write the file, or with `--check` end with status 1 and the difference.

    `subject` is what the file states, such as "The OpenAPI document".
    """
    name = file.relative_to(PROJECT).as_posix()
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Write {name}.")
    parser.add_argument("--check", action="store_true", help="Write nothing; fail if the file differs.")
    if not parser.parse_args().check:
        file.write_text(current, encoding="utf-8")
        return
    committed = file.read_text(encoding="utf-8") if file.is_file() else ""
    if found := difference(name, committed, current):
        sys.exit(f"{subject} changed:\n{found}\n{remedy(name, module)}")
