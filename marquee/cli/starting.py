"""Shows the start and the stop of a platform: one line for each program that is ready or stopped.

Below the lines a status line names the programs that are still awaited.
"""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from marquee.platform.supervisor.supervision import PlatformEvent


class StartDisplay:
    """`with StartDisplay(console) as display: await start(on_event=display.seen)`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("checking what runs", console=console)
        self._waiting: dict[str, None] = {}

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def seen(self, event: PlatformEvent) -> None:
        """Show an event; the `on_event` of `start` and `stop`."""
        if event.kind in ("starting", "stopping"):
            self._waiting[event.name] = None
        elif event.kind == "already-running":
            self._console.print("The platform is running already.")
        else:
            self._waiting.pop(event.name, None)
            self._console.print(f"[green]✓[/] {event.name:<20} {event.kind:<9} {event.seconds:5.1f} s", highlight=False)
        self._status.update(f"waiting for {', '.join(self._waiting)}" if self._waiting else "continuing")
