"""The arithmetic of `docs/capacity.md`: computes each result in the document's tables from the rows above it.

`python -m bench.capacity` writes the results again after an input was changed. `tests/test_capacity.py` fails if that
was forgotten. A row is `| name | value | ... |` (an input: a number) or `| name | formula | result | ... |`, with the
name and the formula in backticks. Formulas may use + - * /, `ceil`, `max`, and the names of the rows above.
"""

import ast
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "capacity.md"
DIGITS: Final = 3
"""Significant digits of a result."""

_INPUT: Final = re.compile(r"^\| `(?P<name>\w+)` \| (?P<value>[\d,.]+) \|")
_RESULT: Final = re.compile(r"^\| `(?P<name>\w+)` \| `(?P<formula>[^`]+)` \| (?P<result>[^|]*) \|")
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {"ceil": math.ceil, "max": max}


def reckoned(text: str) -> tuple[str, dict[str, float], set[str]]:
    """The document with every result computed, the values by name, and the names that formulas use.

    Raises KeyError for a name that no row above has; ValueError for a name that two rows have, and for a formula with
    any other operation.
    """
    values: dict[str, float] = {}
    used: set[str] = set()
    lines = []
    for line in text.splitlines():
        if found := _RESULT.match(line):
            value = _evaluated(ast.parse(found["formula"], mode="eval").body, values, used)
            line = line[: found.start("result")] + shown(value) + line[found.end("result") :]
        elif found := _INPUT.match(line):
            value = float(found["value"].replace(",", ""))
        else:
            lines.append(line)
            continue
        if found["name"] in values:
            raise ValueError(f"two rows are called {found['name']}: rename one")
        values[found["name"]] = value
        lines.append(line)
    return "\n".join(lines) + "\n", values, used


def shown(value: float) -> str:
    """A value with three significant digits and a comma between thousands."""
    if value == 0:
        return "0"
    places = DIGITS - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}" if places > 0 and rounded != int(rounded) else f"{int(rounded):,}"


def _evaluated(node: ast.expr, values: Mapping[str, float], used: set[str]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            used.add(name)
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluated(left, values, used), _evaluated(right, values, used))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_evaluated(each, values, used) for each in arguments))
    raise ValueError(f"no formula: {ast.unparse(node)}: use + - * /, ceil, max and the names of rows above")


def main() -> None:
    """Write the results into the document."""
    text, values, _ = reckoned(DOCUMENT.read_text())
    DOCUMENT.write_text(text)
    sys.stdout.write(f"{len(values)} rows worked out\n")


if __name__ == "__main__":
    main()
