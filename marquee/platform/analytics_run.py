"""Runs the chain of analytics for a range of days, and follows it to its end: `marquee analytics run`.

Where Dagster runs, it is a run of its job `analytics_day`: it waits its turn in Dagster's queue, and stands in the UI. Where
no Dagster answers, the chain runs as a process on this host (`orchestration.analytics_run`), with the same assets and checks.
That process dies with this one, and what it started dies with it.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import httpx
import msgspec

from marquee.client.dagster_runs import RANGE_END_TAG, RANGE_START_TAG, RunState, follow, launch
from marquee.client.run_outcome import RunOutcome, outcome_of
from marquee.code_locations import CODE_LOCATIONS
from marquee.errors import PlatformUnavailable
from marquee.media.programs import sandbox
from marquee.settings import Settings

LOCATION: Final = next(each.name_in_dagster for each in CODE_LOCATIONS if each.name == "analytics")
DAY_JOB: Final = "analytics_day"
RUN_SECONDS: Final = 12 * 3600.0
ASK_SECONDS: Final = 5.0
MAX_LINE_BYTES: Final = 4 * 1024**2
OnState = Callable[[RunState], None]


async def run_days(
    settings: Settings, first: date, last: date, *, here: bool = False, on_state: OnState = lambda _: None
) -> RunOutcome:
    """Run the chain of the days from `first` to `last`. `here`: as a process of this host, also where Dagster runs.

    Raises `PlatformUnavailable` where the run cannot begin, or does not end within `RUN_SECONDS`.
    """
    if here or not await dagster_answers(settings):
        return await run_here(settings, first, last, on_state=on_state)
    if first == last:
        run_id = await launch(settings, location=LOCATION, job=DAY_JOB, partition=str(first))
    else:
        run_id = await launch(settings, location=LOCATION, job=DAY_JOB, tags=range_tags(first, last))
    ended = await follow(settings, run_id, seconds=RUN_SECONDS, on_state=on_state)
    return await outcome_of(settings, run_id, ended.status)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags of one run of the days of a range."""
    return {RANGE_START_TAG: str(first), RANGE_END_TAG: str(last)}


async def dagster_answers(settings: Settings) -> bool:
    """Whether Dagster's webserver runs. One that answers with an error does: the run then says what is wrong."""
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as http:
            await http.get(f"{settings.dagster}/server_info")
    except httpx.ConnectError:
        return False
    except httpx.HTTPError as error:
        raise PlatformUnavailable(
            f"Dagster at {settings.dagster} does not answer ({type(error).__name__}): repeat it, or run it here by --here."
        ) from error
    return True


async def run_here(settings: Settings, first: date, last: date, *, on_state: OnState) -> RunOutcome:
    """Run the chain as a process of this host. Its log is `{state}/logs/analytics-run.log`."""
    log = settings.state / "logs" / "analytics-run.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    launcher = [sys.executable, "-I", "-S", str(Path(sandbox.__file__)), str(os.getpid()), "0", "0"]
    arguments = ["-m", "orchestration.analytics_run", "--first", str(first), "--last", str(last)]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *launcher,
            *(sys.executable, *arguments),
            env={**os.environ, "MARQUEE_STATE": str(settings.state)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            limit=MAX_LINE_BYTES,
        )
    try:
        async with asyncio.timeout(RUN_SECONDS):
            outcome = await _follow_here(process, str(log), on_state)
            await process.wait()
    except TimeoutError as error:
        raise PlatformUnavailable(f"The run was stopped after {RUN_SECONDS / 3600:.0f} hours: see {log}.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if outcome is None:
        raise PlatformUnavailable(f"The run ended with code {process.returncode} before it could say why: see {log}.")
    return outcome


async def _follow_here(process: asyncio.subprocess.Process, log: str, on_state: OnState) -> RunOutcome | None:
    """Each line is the status of the steps so far; the last one is the outcome."""
    assert process.stdout is not None
    outcome = None
    async for line in process.stdout:
        told: Mapping[str, object] = msgspec.json.decode(line)
        if "outcome" in told:
            outcome = msgspec.structs.replace(msgspec.convert(told["outcome"], RunOutcome), where=log)
        else:
            on_state(RunState("STARTED", msgspec.convert(told["steps"], dict[str, str])))
    return outcome
