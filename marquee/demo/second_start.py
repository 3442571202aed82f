"""Runs `marquee demo` a second time, as a person does, and stops it by Ctrl-C.

It must ingest nothing again, and Ctrl-C must stop the programs in order: the gateway before PostgreSQL.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Sequence

from marquee.demo.checks import logged_in
from marquee.demo.ingest import known_titles
from marquee.demo.report import expect
from marquee.settings import Settings

START_SECONDS = 180.0
STOP_SECONDS = 120.0
_UP = "Ctrl-C stops everything"
_STOPPED = re.compile(r"([\w-]+)\s+stopped\s")


async def second_start(settings: Settings, arguments: Sequence[str], *, movie_ids: set[str]) -> float:
    """Start the demo, compare its titles, stop it. Returns the seconds from the command until it prints the addresses.

    `movie_ids`: the titles that must exist, and no others. Raises `CheckFailed`.
    """
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "marquee.cli",
        "demo",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "MARQUEE_STATE": str(settings.state)},
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout:
                said.append(line.decode(errors="replace"))
                if _UP in said[-1]:
                    break
        expect(said and _UP in said[-1], f"the second start ended with {''.join(said[-5:])}")
        seconds = time.monotonic() - started
        async with await logged_in(settings) as api:
            there = {title["movie_id"] for title in (await known_titles(api)).values()}
        expect(there == movie_ids, f"{len(movie_ids)} titles were there, and after a second start {len(there)} are")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_SECONDS):
            rest = (await process.stdout.read()).decode(errors="replace")
            code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    stopped = _STOPPED.findall(rest)
    expect(code == 0, f"after Ctrl-C the demo ended with {code}: {rest[-500:]}")
    expect("gateway" in stopped and "postgres" in stopped, f"after Ctrl-C it stopped {stopped or 'nothing'}")
    expect(stopped.index("gateway") < stopped.index("postgres"), f"it stopped in the order {', '.join(stopped)}")
    return seconds
