"""What a check found: passed, failed or skipped, each with a sentence; shown as a table and as one JSON object."""

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
    """What was expected and what was seen, in one sentence."""


class CheckSkipped(Exception):
    """What this machine lacks, with the remedy."""


@dataclass
class CheckResult:
    name: str
    outcome: Outcome
    detail: str
    seconds: float


@dataclass
class Report:
    """Collects results and figures; `figures` ends as the last line of `make demo CHECK=1`."""

    console: Console
    results: list[CheckResult] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    @asynccontextmanager
    async def check(self, name: str) -> AsyncIterator[list[str]]:
        """Run one check; append to the yielded list what the table should say of it."""
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
        """Whether nothing failed; with `strict`, whether nothing was skipped either."""
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
    """Raises `CheckFailed` with the sentence unless the condition holds."""
    if not condition:
        raise CheckFailed(sentence)
