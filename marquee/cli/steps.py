"""Shows the steps of long work: which one runs, how far it is, how long each took.

On a terminal the running step has a bar (without a total, a moving one). Elsewhere (a log file, CI) each quarter and each end
is one line, so that a run of several minutes shows progress.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Step:
    """One step. `update` may be called often."""

    def __init__(self, console: Console, name: str, progress: Progress) -> None:
        self._console = console
        self._name = name
        self._progress = progress
        self._row = progress.add_task(escape(name), total=None, said="")
        self._quarter = -1
        self._said = ""
        self._begun = time.monotonic()
        self.result = ""
        """Shown when the step has ended."""

    def update(self, done: int, total: int) -> None:
        self._progress.update(self._row, completed=done, total=total)
        quarter = 4 * done // max(1, total)
        if not self._console.is_terminal and quarter > self._quarter and done < total:
            self._quarter = quarter
            self._line(f"{done} of {total}")

    def say(self, sentence: str) -> None:
        """What the step does now. The same sentence again is no news."""
        if sentence != self._said:
            self._said = sentence
            self._progress.update(self._row, said=escape(sentence))
            if not self._console.is_terminal:
                self._line(sentence)

    def _line(self, sentence: str) -> None:
        self._console.print(
            f"{time.monotonic() - self._begun:7.1f} s  {self._name}: {sentence}", highlight=False, markup=False
        )


@contextmanager
def step(console: Console, name: str) -> Iterator[Step]:
    """`with step(console, "viewers") as viewers: viewers.update(3, 10)`. Prints one line at its end, also after an error."""
    progress = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    begun = time.monotonic()
    with progress:
        running = Step(console, name, progress)
        mark = "[red]✗[/]"
        try:
            yield running
            mark = "[green]✓[/]"
        finally:
            seconds = time.monotonic() - begun
            console.print(f"{mark} {escape(name):<28} {seconds:6.1f} s  {escape(running.result)}", highlight=False)
