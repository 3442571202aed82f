"""Shared by the engines' tests: an engine that is run by `marquee engines`, as people run it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.instances import instance
from marquee.platform.state import run_folder
from marquee.platform.supervisor import leftovers
from marquee.settings import Settings, load_settings
from tests.harness.servers import fetched_or_skipped


def marquee(settings: Settings, engine: Engine, action: str) -> list[dict[str, object]]:
    """Run `marquee engines ACTION NAME --json` and return what it prints."""
    command = [str(Path(sys.executable).parent / "marquee"), "engines", action, engine.name, "--json"]
    environment = {**os.environ, "MARQUEE_STATE": str(settings.state)}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=240, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@contextmanager
def instance_of(engine: Engine, folder: Path) -> Iterator[Settings]:
    """Settings for a test that starts an instance of the engine. Afterwards its processes and files are removed."""
    settings = load_settings(state=folder / "a state")
    fetched_or_skipped(engine, settings)
    try:
        yield settings
    finally:
        marquee(settings, engine, "down")
        assert leftovers.of_platform(run_folder(instance(settings, engine))) == []


async def expect_nothing_outlives_the_supervisor(settings: Settings, engine: Engine) -> None:
    """SIGKILL of the instance's supervisor: every process below it ends too."""
    run = run_folder(instance(settings, engine))
    os.kill(int((run / "supervisord.number").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while left := leftovers.of_platform(run):
        assert time.monotonic() < deadline, f"{left} outlive their supervisor"
        await asyncio.sleep(0.1)
