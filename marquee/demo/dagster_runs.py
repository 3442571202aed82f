"""Queries Dagster's GraphQL from outside: an upload's runs, how they ended, and the process that executes one.

The checks wait here until a run has succeeded, and `kills` finds here the process to kill.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import tenacity

from marquee.demo.report import expect
from marquee.settings import Settings

UPLOAD_TAG = "marquee/upload_id"
END_SECONDS = 60.0
UNFINISHED = ("STARTED", "STARTING", "QUEUED", "NOT_STARTED")
RUNS = """query Runs($filter: RunsFilter) {
  runsOrError(filter: $filter, limit: 20) { ... on Runs { results { runId status } } }
}"""
ENGINE_EVENTS = """query Events($runId: ID!) {
  runOrError(runId: $runId) { ... on Run { status eventConnection(limit: 200) { events {
    ... on EngineEvent { metadataEntries { label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } }
  } } } }
}"""


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.HTTPError),
    wait=tenacity.wait_random(0.2, 1.0),
    stop=tenacity.stop_after_delay(END_SECONDS),
    reraise=True,
)
async def _ask(settings: Settings, query: str, variables: Mapping[str, object]) -> Any:
    """Send a query; repeat it on an HTTP error for at most END_SECONDS.

    Dagster's webserver keeps connections to PostgreSQL open. After PostgreSQL was killed, the next query on such a
    connection answers 500; the one after it succeeds.
    """
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.post(f"{settings.dagster}/graphql", json={"query": query, "variables": variables})
    return answer.raise_for_status().json()["data"]


async def runs_of_upload(settings: Settings, upload_id: str) -> dict[str, str]:
    """Run id -> status of an upload's runs, the newest first."""
    variables = {"filter": {"tags": [{"key": UPLOAD_TAG, "value": upload_id}]}}
    found = (await _ask(settings, RUNS, variables))["runsOrError"]["results"]
    return {run["runId"]: run["status"] for run in found}


async def green_run(settings: Settings, upload_id: str) -> str:
    """Wait for a run of the upload that succeeds; return its id. Raises `CheckFailed` if none does."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + END_SECONDS
    while True:
        runs = await runs_of_upload(settings, upload_id)
        green = [run_id for run_id, status in runs.items() if status == "SUCCESS"]
        if green:
            return green[0]
        # The title is playable shortly before its run ends, so unfinished runs are awaited.
        pending = any(status in UNFINISHED for status in runs.values())
        expect(pending and loop.time() < deadline, f"no run of the upload succeeded: they are {list(runs.values())}")
        await asyncio.sleep(0.5)


async def process_of_run(settings: Settings, upload_id: str) -> int | None:
    """Pid of the process that executes the upload's run now, from the run's events. None if no run is started."""
    for run_id, status in (await runs_of_upload(settings, upload_id)).items():
        if status != "STARTED":
            continue
        run = (await _ask(settings, ENGINE_EVENTS, {"runId": run_id}))["runOrError"]
        for event in run["eventConnection"]["events"]:
            for entry in event.get("metadataEntries", []):
                if entry["label"] == "pid":
                    return int(entry.get("intValue") or entry["text"])
    return None
