"""Checks of analytics from outside: events in the lake, rows that have changed, reports with figures, a poisoned hour held back.

The poison is what a broken producer could write: events of the current hour that say that ten hours were watched within a second.
They are put on the event log, as the API would, because the telemetry endpoint refuses them. Afterwards their profile is erased.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from marquee.client.dagster_runs import ask
from marquee.client.session import ApiSession
from marquee.demo.analytics import Learned, await_rows, row_of, run_day
from marquee.demo.checks import logged_in
from marquee.demo.report import CheckFailed, CheckSkipped, Report, expect
from marquee.demo.viewers.visitors import visitors
from marquee.domain.ids import new_profile_id
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.ingest.lake.erasure import erase_asked
from marquee.platform.analytics_state import analytics_state
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from marquee.trust import trusted

POISONED_EVENTS: Final = 400
POISONED_WATCHED_MS: Final = 10 * 3_600_000
MIN_BECAUSE_ITEMS: Final = 8
_REFUSALS: Final = """query Refusals($runId: ID!) {
  runOrError(runId: $runId) { ... on Run {
    eventConnection(limit: 1000) { events { ... on AssetCheckEvaluationEvent {
      evaluation { success checkName description }
    } } }
  } }
}"""


async def check_analytics(settings: Settings, report: Report, learned: Learned | CheckSkipped | CheckFailed) -> None:
    """Run all checks of analytics. Where nothing was learned, the first one ends with the reason."""
    async with report.check("viewers' events are in the lake") as said:
        if isinstance(learned, CheckSkipped | CheckFailed):
            raise learned
        said.append(await events_are_in_the_lake(settings, learned))
    if isinstance(learned, CheckSkipped | CheckFailed):
        return
    async with await logged_in(settings) as api:
        async with report.check("home shows what is trending") as said:
            said.append(await trending_is_shown(api, learned))
        async with report.check("a viewer has a row of its own, and titles have similar ones") as said:
            said.append(await taste_is_shown(settings, api))
        async with report.check("reports have figures") as said:
            said.append(await reports_have_figures(api))
        async with report.check("a poisoned hour is held back, and rows stay") as said:
            said.append(await poison_is_held_back(settings, api))


async def events_are_in_the_lake(settings: Settings, learned: Learned) -> str:
    """The lake's list has every accepted event of the week, and the sink has nothing left."""
    rows = await await_rows(settings, learned.week.events, _Quiet())
    return (
        f"{learned.week.events} events of {len(learned.week.session_ids)} sessions were accepted, the lake has {rows}"
    )


async def trending_is_shown(api: ApiSession, learned: Learned) -> str:
    """The row "Trending now" has titles, in another order than the new releases."""
    home = await api.get("/home", limit=50)
    shown = [item["movie_id"] for item in row_of(home, "trending").get("items", ())]
    expect(shown, "home has no row of trending titles")
    newest = [item["movie_id"] for item in row_of(home, "new-releases").get("items", ()) if item["movie_id"] in shown]
    expect(shown != newest, "the trending titles are in the order of the new releases")
    after = "" if learned.seconds is None else f", {learned.seconds:.0f} s after the last event"
    return f"{len(shown)} titles, first {row_of(home, 'trending')['items'][0]['title']}{after}"


async def taste_is_shown(settings: Settings, api: ApiSession) -> str:
    """A profile that watched has "Because you watched" with enough titles; a title has similar ones."""
    verify = trusted(settings.tls_authorities)
    visiting = await visitors(settings, verify=verify)
    rows: list[dict[str, Any]] = []
    for profile_id in visiting.profiles:
        async with ApiSession(settings.public, verify=verify) as session:
            await session.log_in(visiting.email, settings.password.get_secret_value(), profile_id=profile_id)
            home = await session.get("/home", limit=50)
        rows += [row for row in home["rows"] if row["id"].startswith("because-")]
    expect(rows, f"none of the profiles of {visiting.email} has a row of what it may like")
    expect(all(len(row["items"]) >= MIN_BECAUSE_ITEMS for row in rows), "a personal row has too few titles")
    movie_id = rows[0]["items"][0]["movie_id"]
    similar = (await api.get(f"/titles/{movie_id}/similar"))["items"]
    expect(similar and all(item["movie_id"] != movie_id for item in similar), f"{movie_id} has no similar titles")
    return f"{rows[0]['title']}: {len(rows[0]['items'])} titles; {len(similar)} similar ones"


REPORTS: Final = ("performance", "quality", "failures", "searches", "retention", "costs")


async def reports_have_figures(api: ApiSession) -> str:
    """Every report has rows, a source and its age; performance names the titles that were watched."""
    told: dict[str, int] = {}
    for name in REPORTS:
        report = await api.get(f"/analytics/{name}")
        expect(report["source"] and report["items"], f"the report {name} is empty: {report['sentence']}")
        told[name] = len(report["items"])
    hours = sum(item["watch_hours"] for item in (await api.get("/analytics/performance"))["items"])
    expect(hours > 0, "the report of performance knows of no watched hour")
    return f"{hours:.1f} hours were watched; rows: {', '.join(f'{name} {count}' for name, count in told.items())}"


async def poison_is_held_back(settings: Settings, api: ApiSession) -> str:
    """Events that cannot be make the day's check fail: the chain stops, home stays as it was, and the reason is told."""
    before, accepted = await _home_rows(api), await _accepted(settings)
    rows = next(each.rows for each in (await analytics_state(settings)).datasets if each.name == "events")
    profile_id = new_profile_id()
    await _poison(settings, profile_id)
    try:
        await await_rows(settings, rows + POISONED_EVENTS, _Quiet())
        run_id, ended = await run_day(settings, _Quiet(), partition=time.strftime("%Y-%m-%d", time.gmtime()))
        expect(ended.status == "FAILURE", f"the chain of a poisoned day ended {ended.status}: see {run_id}")
        refused = await refusals(settings, run_id)
        expect(refused, f"no check of run {run_id} says why it stopped")
        expect(await _home_rows(api) == before, "home has changed by a poisoned batch")
        expect(await _accepted(settings) == accepted, "a batch of the poisoned day was accepted")
    finally:
        async with open_stores(settings) as stores:
            await stores.lake.ask_erasure(profile_id)
            # The event sink erases too: how many rows were left for the first search says nothing.
            await erase_asked(stores.lake, settings.state, search_all=True)
            left, unreadable = await erase_asked(stores.lake, settings.state, search_all=True)
    expect(not left, f"{left} poisoned events were still in the lake after their erasure")
    expect(not unreadable, f"damaged files of the lake were not searched: {', '.join(unreadable)}")
    return f"{refused[0]}; its events are erased again"


async def refusals(settings: Settings, run_id: str) -> list[str]:
    """What the failed checks of a run say."""
    run = (await ask(settings, _REFUSALS, {"runId": run_id}))["runOrError"]
    found = [event["evaluation"] for event in run["eventConnection"]["events"] if event.get("evaluation")]
    return [f"{each['checkName']}: {each['description']}" for each in found if not each["success"]]


async def _poison(settings: Settings, profile_id: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    events = [
        ViewingEvent(
            event_id=f"{profile_id}-{number}",
            kind="heartbeat",
            source="client",
            at_ms=now_ms,
            received_at_ms=now_ms,
            session_id=f"{profile_id}-session",
            profile_id=profile_id,
            watched_ms=POISONED_WATCHED_MS,
        )
        for number in range(POISONED_EVENTS)
    ]
    async with open_stores(settings) as stores:
        await stores.event_log.publish_many(
            VIEWING_EVENTS, [(profile_id, msgspec.json.encode(event)) for event in events]
        )


async def _home_rows(api: ApiSession) -> dict[str, list[str]]:
    """Row -> its titles, of the rows that analytics make or move."""
    home = await api.get("/home", limit=50)
    return {row["id"]: [item["movie_id"] for item in row["items"]] for row in home["rows"] if row["id"] == "trending"}


async def _accepted(settings: Settings) -> Mapping[str, int]:
    state = await analytics_state(settings)
    return {batch.name: batch.batch_id for batch in state.batches if batch.state == "accepted"}


class _Quiet:
    """A step that shows nothing: the report says how the check ended."""

    result = ""

    def update(self, done: int, total: int) -> None: ...

    def say(self, sentence: str) -> None: ...
