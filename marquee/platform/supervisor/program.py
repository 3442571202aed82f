"""What a supervised process is: its command, its environment, its readiness probe, its place in start and stop.

`programs/`, `local_engines` and `cluster_engines/` build these. `supervisord` writes them into its configuration, `supervision`
starts them and calls their probes.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marquee.platform.project import PACKAGES

ReadyProbe = Callable[[], Awaitable[None]]
"""Raises while the process is not ready. Returns after a successful round trip of a real client."""

_ENTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from marquee.platform.supervisor.launch import main; main()"


@dataclass(frozen=True)
class Program:
    """One process under the supervisor.

    `ready`: probe, called until it returns. `after`: names of programs that must be ready first. `stage`: order of the stop,
    highest first. `imports`: modules of a `python -m` command that the supervisor imports for it (see `forking`).
    `one_shot`: the program is ready when it has exited with 0. `unprivileged`: it refuses to run as root. `interrupt`: it
    is stopped by SIGINT, not SIGTERM. `drains`: on SIGTERM it goes on serving until no request arrives, then ends; a restart
    uses that. `stop_seconds`: time to stop before SIGKILL. `ready_seconds`: time to become ready.
    `children_outlive`: the children of a killed process go on when the program is started again. `port`: its listener's.
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
    drains: bool = False
    stop_seconds: int = 10
    ready_seconds: float = 60.0
    children_outlive: bool = False
    port: int | None = None

    @property
    def launch_command(self) -> tuple[str, ...]:
        """The command through the launcher, so that the program ends with its parent process."""
        return self.marked_command(None)

    def marked_command(self, run_folder: Path | None) -> tuple[str, ...]:
        """`launch_command` with this program's mark, by which `leftovers` finds its processes later. None: no mark."""
        options = ["--unprivileged"] * self.unprivileged + ["--interrupt"] * self.interrupt
        if run_folder is not None:
            options += ["--mark", str(run_folder / self.name)] + ["--children-outlive"] * self.children_outlive
        return (*launcher(), *options, "--", *self.command)


def launcher() -> tuple[str, ...]:
    """Command of the launcher: a Python with the standard library and this project only, which starts in 20 ms."""
    return (sys.executable, "-I", "-S", "-c", _ENTER, str(PACKAGES))
