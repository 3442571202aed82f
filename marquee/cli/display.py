"""Shows the progress of titles while they are uploaded and ingested.

On a terminal each title has a row with stage, per cent, speed and a bar. Elsewhere (a log file, CI) each change is one line, so
that a run of several minutes shows progress. A change is a new stage, an end, or another quarter of the current stage.
"""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from marquee.client.uploader import PartSent
from marquee.domain.lifecycle import NEVER_PLAYABLE, PLAYABLE

_COLOUR = {**dict.fromkeys(NEVER_PLAYABLE, "red"), PLAYABLE: "green", "failed": "bold red"}


class TitleDisplay:
    """`with TitleDisplay(console) as display: row = display.add("Big Buck Bunny")`."""

    def __init__(self, console: Console) -> None:
        self._lines = None if console.is_terminal else _Lines(console)
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            TextColumn("{task.fields[stage]}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[speed]:>7}"),
            TimeElapsedColumn(),
            console=console,
            disable=self._lines is not None,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, title: str) -> TaskID:
        row = self._progress.add_task(escape(title[:32]), total=100, stage="upload", speed="")
        if self._lines is not None:
            self._lines.begin(row, title)
        return row

    def part_sent(self, row: TaskID, sent: PartSent) -> None:
        share = sent.bytes_done / max(1, sent.bytes_total)
        # At most 99 %: a full bar stops its clock, but the ingest follows the upload.
        self._progress.update(row, completed=99 * share, stage=f"upload {sent.number}/{sent.parts_total}")
        if self._lines is not None:
            self._lines.say(row, "upload", percent=100 * share)

    def say(self, sentence: str) -> None:
        """Print a sentence above the rows."""
        self._progress.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def state_seen(self, row: TaskID, state: dict[str, Any]) -> None:
        ended = _COLOUR.get(state["state"])
        stage = f"[{ended}]{state['state']}[/]" if ended else state["stage"]
        speed = f"{state['speed']:.1f}x" if state.get("speed") and not ended else ""
        percent = 100 if state["state"] == PLAYABLE else state["percent"]
        self._progress.update(row, completed=percent, stage=stage, speed=speed)
        if ended:
            self._progress.stop_task(row)
        if self._lines is not None:
            self._lines.say(row, state["state"] if ended else state["stage"], percent=percent, speed=speed)


class _Lines:
    """`  12.3 s  Big Buck Bunny: renditions, 25 %, 1.8x`: printed when the stage or the quarter has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._titles: dict[TaskID, tuple[str, float]] = {}
        self._last: dict[TaskID, tuple[str, int]] = {}

    def begin(self, row: TaskID, title: str) -> None:
        self._titles[row] = (title, time.monotonic())

    def say(self, row: TaskID, stage: str, *, percent: float, speed: str = "") -> None:
        step = (stage, int(percent / 25))
        if self._last.get(row) == step:
            return
        self._last[row] = step
        title, begun = self._titles[row]
        words = ", ".join(word for word in (stage, f"{percent:.0f} %", speed) if word)
        self._console.print(f"{time.monotonic() - begun:7.1f} s  {title}: {words}", highlight=False, markup=False)
