"""What a supervised process is: its command, its files, and the question that it answers once it is ready."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marquee.platform.project import PACKAGES

ReadyProbe = Callable[[], Awaitable[None]]
"""Raises while the process is not ready; returns once a real client's round trip succeeded."""

_ENTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from marquee.platform.supervisor.launch import main; main()"


@dataclass(frozen=True)
class Program:
    """One process under the supervisor.

    It starts once those in `after` are ready, and `ready` is asked until it returns; `stage` orders the stop (higher first).
    `imports` are modules of a `python -m` command that the supervisor imports for it (see `forking`). A `one_shot` program
    is ready when it has ended well. `unprivileged` programs refuse root; `interrupt` ones stop on SIGINT.
    `stop_seconds` is how long it may take to stop before SIGKILL; `ready_seconds` how long to become ready. With
    `children_outlive`, what a killed incarnation had started goes on beside the next. `port` is its listener's.
    """

    name: str
    command: tuple[str, ...]
    ready: ReadyProbe
    stage: int
    environment: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    one_shot: bool = False
    unprivileged: bool = False
    interrupt: bool = False
    stop_seconds: int = 10
    ready_seconds: float = 60.0
    children_outlive: bool = False
    port: int | None = None

    @property
    def launch_command(self) -> tuple[str, ...]:
        """The command through `marquee.platform.supervisor.launch`, so that it never outlives its parent."""
        return self.marked_command(None)

    def marked_command(self, run_folder: Path | None) -> tuple[str, ...]:
        """The same, and marked as this program of one platform, so that what it left behind is found later."""
        options = ["--unprivileged"] * self.unprivileged + ["--interrupt"] * self.interrupt
        if run_folder is not None:
            options += ["--mark", str(run_folder / self.name)] + ["--children-outlive"] * self.children_outlive
        return (*launcher(), *options, "--", *self.command)


def launcher() -> tuple[str, ...]:
    """Python with nothing but its standard library and this project: it is up in 20 ms and replaced at once."""
    return (sys.executable, "-I", "-S", "-c", _ENTER, str(PACKAGES))
