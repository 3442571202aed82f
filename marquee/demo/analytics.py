"""The demo's viewers and what the platform learns from them: a week of sessions, the chain of analytics once, and home shows it.

    viewers ─► telemetry endpoint ─► lake ─► the chain of the last days in Dagster, one run ─► home

It is done once for a state folder: the file of the week says when it is finished. Without the packages of the extra `analytics`
it is left out, with a sentence. The checks of it from outside are in `marquee.demo.analytics_checks`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from marquee.analytics_extra import how_to_get_analytics, missing_packages
from marquee.client.dagster_runs import RunState, follow, launch
from marquee.demo.checks import logged_in
from marquee.demo.ingest import known_titles
from marquee.demo.viewers.sending import Week, films_of, keep_week, read_week, send_week
from marquee.demo.viewers.visitors import search, visitors
from marquee.errors import PlatformUnavailable
from marquee.platform.analytics_run import DAY_JOB, LOCATION, range_tags
from marquee.platform.analytics_state import analytics_state
from marquee.settings import Settings
from marquee.trust import trusted

LAKE_SECONDS: Final = 180.0
RUN_SECONDS: Final = 1200.0
POLL_SECONDS: Final = 1.0
DAYS_BEFORE: Final = 3
"""Days before today whose sessions are made, of the week that was watched. A day costs 10 processor seconds.
The next night makes the others, whose events are new."""


class Step(Protocol):
    """Shows one step; `marquee.cli.steps.Step` is one."""

    result: str

    def update(self, done: int, total: int) -> None: ...

    def say(self, sentence: str) -> None: ...


Steps = Callable[[str], AbstractContextManager[Step]]
"""Begins a step of this name."""


@dataclass(frozen=True)
class Learned:
    """What was sent and what came of it. `seconds`: from the last event until home showed the row; None: it was there before."""

    week: Week
    trending: tuple[str, ...]
    seconds: float | None


def why_left_out() -> str | None:
    """Why there are no viewers here: a sentence with the remedy. None: they can watch."""
    if missing := missing_packages():
        return (
            f"Viewers, trending rows and reports are left out, because {', '.join(missing)} is not installed: "
            f"{how_to_get_analytics()}."
        )
    return None


def week_path(settings: Settings) -> Path:
    return settings.state / "demo" / "week.json"


async def learn_from_viewers(settings: Settings, steps: Steps) -> Learned:
    """Send the week and run the chain, or what of it an earlier demo has not done.

    Raises `PlatformUnavailable` where a part does not answer, or a run fails; the error names the run.
    """
    path, verify = week_path(settings), trusted(settings.tls_authorities)
    known = read_week(path)
    if known is not None and known.is_learned:
        return Learned(known, await trending(settings), None)
    async with await logged_in(settings) as api:
        films = films_of(list((await known_titles(api)).values()))
    if not films:
        raise PlatformUnavailable("No film can be played, so nobody watches: see why the demo's films have failed.")
    with steps("viewers watch a week") as step:
        visiting = await visitors(settings, verify=verify)
        week = await send_week(settings, films, visiting.profiles, path, on_sent=step.update, verify=verify)
        searches = await search(settings, visiting, verify=verify)
        step.result = f"{len(week.session_ids)} sessions, {week.events} events, {searches} searches"
    sent_at = time.monotonic()
    with steps("events reach the lake") as step:
        rows = await await_rows(settings, week.events, step)
        step.result = f"{rows} rows"
    today = datetime.now(UTC).date()
    with steps("the chain of the last days") as step:
        await _green(settings, step, tags=range_tags(today - timedelta(days=DAYS_BEFORE), today))
    with steps("home shows it") as step:
        shown = await _await_trending(settings)
        step.result = f"Trending now: {', '.join(shown[:4])}"
    week.is_learned = True
    keep_week(path, week)
    return Learned(week, shown, time.monotonic() - sent_at)


async def await_rows(settings: Settings, rows: int, step: Step) -> int:
    """Wait until the lake has at least so many events, and the sink has nothing to write. Returns how many it has."""
    deadline = time.monotonic() + LAKE_SECONDS
    while True:
        state = await analytics_state(settings)
        there = sum(dataset.rows for dataset in state.datasets if dataset.name == "events")
        if there >= rows and not state.sink.lag_seconds:
            return there
        if time.monotonic() > deadline:
            raise PlatformUnavailable(
                f"The lake has {there} of {rows} events after {LAKE_SECONDS:.0f} s: see the log of event-sink."
            )
        step.update(min(there, rows), rows)
        await asyncio.sleep(POLL_SECONDS)


async def run_day(settings: Settings, step: Step, **launched: Any) -> tuple[str, RunState]:
    """Run the job of a day, or some of its assets, to its end. Returns the run and how it ended."""
    run_id = await launch(settings, location=LOCATION, job=DAY_JOB, **launched)

    def on_state(state: RunState) -> None:
        working = [name for name, status in state.steps.items() if status == "IN_PROGRESS"]
        done = sum(status == "SUCCESS" for status in state.steps.values())
        step.say(f"{', '.join(working)} ({done} done)" if working else state.status.lower())

    return run_id, await follow(settings, run_id, seconds=RUN_SECONDS, on_state=on_state)


async def _green(settings: Settings, step: Step, **launched: Any) -> None:
    run_id, ended = await run_day(settings, step, **launched)
    if ended.status != "SUCCESS":
        raise PlatformUnavailable(
            f"The run of analytics ended {ended.status} at {', '.join(ended.failed_steps) or 'its start'}: "
            f"see {settings.dagster}/runs/{run_id}"
        )
    step.result = f"{len(ended.steps)} steps, run {run_id[:8]}"


async def trending(settings: Settings) -> tuple[str, ...]:
    """The titles of home's row "Trending now", in order; empty without the row."""
    async with await logged_in(settings) as api:
        home = await api.get("/home", limit=20)
    return tuple(item["title"] for item in row_of(home, "trending").get("items", ()))


def row_of(home: Mapping[str, Any], row_id: str) -> dict[str, Any]:
    """The row of a home page; empty if it has none."""
    return next((dict(row) for row in home["rows"] if row["id"] == row_id), {})


async def _await_trending(settings: Settings) -> tuple[str, ...]:
    deadline = time.monotonic() + 2 * settings.row_ttl_seconds
    while not (shown := await trending(settings)):
        if time.monotonic() > deadline:
            raise PlatformUnavailable("The chain has ended, and home has no row of trending titles.")
        await asyncio.sleep(POLL_SECONDS)
    return shown
