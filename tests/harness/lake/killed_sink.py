"""Kills sinks at a step: `python -m tests.harness.lake.killed_sink PLAN`, where PLAN is a JSON file (`Plan`).

This process imports everything and forks one sink after the other. Each sink kills itself by SIGKILL when it comes to its step
for the n-th time. The last one has no step, and ends when the topic is read. PLAN.killed says how many sinks were killed.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow.parquet  # noqa: F401 - before the forks
import sqlalchemy.ext.asyncio

from marquee.ingest.lake import sink as sinks
from marquee.ingest.lake.sink import EventSink, Limits
from marquee.settings import load_settings
from marquee.stores.event_log import open_event_log
from marquee.stores.lake import open_lake
from marquee.stores.lake.bucket import BucketFiles
from marquee.stores.lake.folder import FolderFiles
from marquee.stores.lake.postgres import PostgresLake


class Plan(msgspec.Struct):
    settings: dict[str, str]
    event_log: str
    topic: str
    kills: int
    """At each step."""
    batch_rows: int
    seed: int


STEPS: Final[dict[str, tuple[type, str, bool]]] = {
    "before the file": (FolderFiles, "put", False),
    "before the rename": (FolderFiles, "_rename", False),
    "after the rename": (FolderFiles, "_rename", True),
    "before the put": (BucketFiles, "put", False),
    "after the put": (BucketFiles, "put", True),
    "before the transaction": (PostgresLake, "append", False),
    "before the commit": (sqlalchemy.ext.asyncio.AsyncConnection, "commit", False),
    "after the commit": (sqlalchemy.ext.asyncio.AsyncConnection, "commit", True),
    "after the transaction": (PostgresLake, "append", True),
}
"""Step -> the method, and whether the kill comes after it."""


def steps_of(lake_url: str) -> list[str]:
    """Those that a sink of this lake comes to."""
    other = BucketFiles if lake_url.startswith("file:") else FolderFiles
    return [name for name, (owner, _, _) in STEPS.items() if owner is not other]


def arm(step: str, times: int) -> None:
    """From now on this process dies at the n-th time of the step."""
    owner, method, is_after = STEPS[step]
    original: Callable[..., Any] = getattr(owner, method)
    left = [times]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if asyncio.iscoroutinefunction(original):

        async def awaited(*arguments: Any, **named: Any) -> Any:
            if not is_after:
                die()
            answer = await original(*arguments, **named)
            if is_after:
                die()
            return answer

        setattr(owner, method, awaited)
    else:

        def called(*arguments: Any, **named: Any) -> Any:
            if not is_after:
                die()
            answer = original(*arguments, **named)
            if is_after:
                die()
            return answer

        setattr(owner, method, called)


async def sink(plan: Plan) -> None:
    event_log, lake = open_event_log(plan.event_log), open_lake(load_settings(**plan.settings))
    working = EventSink(event_log, lake, plan.topic, Limits(plan.batch_rows, 2**40, 3600.0))
    await working.begin()
    while await working.step():
        pass
    await working.flush()
    await lake.close()
    await event_log.close()


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    sinks.MIN_READ_RECORDS = sinks.MAX_READ_RECORDS = plan.batch_rows  # type: ignore[misc]
    chance = random.Random(plan.seed)
    steps = steps_of(plan.settings["lake_url"]) * plan.kills
    chance.shuffle(steps)
    killed = 0
    for step in [*steps, None]:
        pid = os.fork()
        if pid == 0:
            if step is not None:
                arm(step, chance.choice([1, 2]))
            asyncio.run(sink(plan))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            killed += 1
        elif os.WEXITSTATUS(status):
            raise SystemExit(f"a sink failed at {step}")
    Path(f"{sys.argv[1]}.killed").write_text(str(killed))


if __name__ == "__main__":
    main()
