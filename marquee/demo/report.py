"""Collects the results of the checks: passed, failed or skipped, each with a sentence.

`marquee demo --check` and `marquee check` show them as a table, and print the figures as one JSON object.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from rich.console import Console
from rich.table import Table

Outcome = Literal["passed", "failed", "skipped"]
_STYLE = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


class CheckFailed(Exception):
    """A check failed. The message says in one sentence what was expected and what was seen."""


class CheckSkipped(Exception):
    """A check cannot run here. The message says what this machine lacks and how to get it."""


@dataclass
class CheckResult:
    """The outcome of one check, and a sentence about it."""

    name: str
    outcome: Outcome
    detail: str
    seconds: float


@dataclass
class Report:
    """Results and figures. `figures` are the last line that `make demo CHECK=1` prints."""

    console: Console
    results: list[CheckResult] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    @asynccontextmanager
    async def check(self, name: str) -> AsyncIterator[list[str]]:
        """Run one check as the body of `async with`. What the body appends to the yielded list is shown in the table."""
        said: list[str] = []
        started = time.monotonic()
        outcome: Outcome = "passed"
        try:
            yield said
        except CheckSkipped as reason:
            outcome, said = "skipped", [str(reason)]
        except Exception as error:
            outcome = "failed"
            said = [f"{error}" if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"]
        result = CheckResult(name, outcome, "; ".join(said), time.monotonic() - started)
        self.results.append(result)
        self.console.print(
            f"[{_STYLE[outcome]}]{outcome:>7}[/] {name} [dim]{result.seconds:.1f} s[/] {result.detail}", highlight=False
        )

    def passed(self, *, strict: bool) -> bool:
        """Whether checks have run and none failed. `strict`: a skipped check counts as failed."""
        bad = {"failed", "skipped"} if strict else {"failed"}
        return bool(self.results) and not any(result.outcome in bad for result in self.results)

    def table(self) -> Table:
        table = Table(title="Checked from outside")
        for column in ("check", "outcome", "seconds", "detail"):
            table.add_column(column, justify="right" if column == "seconds" else "left")
        for result in self.results:
            table.add_row(
                result.name,
                f"[{_STYLE[result.outcome]}]{result.outcome}[/]",
                f"{result.seconds:.1f}",
                result.detail,
            )
        return table


def expect(condition: object, sentence: str) -> None:
    """Raise `CheckFailed` with this sentence unless the condition holds."""
    if not condition:
        raise CheckFailed(sentence)
