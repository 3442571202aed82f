"""What a supervised process is: its command, its files, and the question that it answers once it is ready."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

ReadyProbe = Callable[[], Awaitable[None]]
"""Raises while the process is not ready; returns once a real client's round trip succeeded."""


@dataclass(frozen=True)
class Program:
    """One process under the supervisor.

    `stage` orders the start (lower first) and, backwards, the stop; `ready` is asked until it returns. `unprivileged`
    programs refuse root; `interrupt` ones stop on SIGINT. `stop_seconds` is how long it may take to stop before SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    ready: ReadyProbe
    stage: int
    environment: Mapping[str, str] = field(default_factory=dict)
    unprivileged: bool = False
    interrupt: bool = False
    stop_seconds: int = 10

    @property
    def launch_command(self) -> tuple[str, ...]:
        """The command through `marquee.platform.launch`, so that it never outlives its parent."""
        options = ["--unprivileged"] * self.unprivileged + ["--interrupt"] * self.interrupt
        return (sys.executable, "-m", "marquee.platform.launch", *options, "--", *self.command)
