"""What the CLI shows while titles are uploaded and ingested: a row a title, with stage, per cent and speed."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from marquee.client.following import NEVER_PLAYABLE
from marquee.client.uploader import PartSent

_COLOUR = {**dict.fromkeys(NEVER_PLAYABLE, "red"), "playable": "green", "failed": "bold red"}


class TitleDisplay:
    """`with TitleDisplay(console) as display: row = display.add("Big Buck Bunny")`."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            TextColumn("{task.fields[stage]}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[speed]:>7}"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, title: str) -> TaskID:
        return self._progress.add_task(escape(title[:32]), total=100, stage="upload", speed="")

    def part_sent(self, row: TaskID, sent: PartSent) -> None:
        share = sent.bytes_done / max(1, sent.bytes_total)
        # Short of the whole: a bar that has been full stops its clock, and the ingest is still to come.
        self._progress.update(row, completed=99 * share, stage=f"upload {sent.number}/{sent.parts_total}")

    def state_seen(self, row: TaskID, state: dict[str, Any]) -> None:
        ended = _COLOUR.get(state["state"])
        stage = f"[{ended}]{state['state']}[/]" if ended else state["stage"]
        speed = f"{state['speed']:.1f}x" if state.get("speed") and not ended else ""
        percent = 100 if state["state"] == "playable" else state["percent"]
        self._progress.update(row, completed=percent, stage=stage, speed=speed)
        if ended:
            self._progress.stop_task(row)
