"""Dagster asked from outside, by its GraphQL: which runs an upload has, how they ended, which process does one."""

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
    """As a person does who loads a page again: Dagster's webserver keeps connections to PostgreSQL, and one that was killed with
    it costs the next query a 500."""
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.post(f"{settings.dagster}/graphql", json={"query": query, "variables": variables})
    return answer.raise_for_status().json()["data"]


async def runs_of_upload(settings: Settings, upload_id: str) -> dict[str, str]:
    """Status by run id, the newest run first."""
    variables = {"filter": {"tags": [{"key": UPLOAD_TAG, "value": upload_id}]}}
    found = (await _ask(settings, RUNS, variables))["runsOrError"]["results"]
    return {run["runId"]: run["status"] for run in found}


async def green_run(settings: Settings, upload_id: str) -> str:
    """The id of the upload's run that succeeded. Raises `CheckFailed` where none did."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + END_SECONDS
    while True:
        runs = await runs_of_upload(settings, upload_id)
        green = [run_id for run_id, status in runs.items() if status == "SUCCESS"]
        if green:
            return green[0]
        # The title is playable a moment before its run has ended.
        pending = any(status in UNFINISHED for status in runs.values())
        expect(
            pending and loop.time() < deadline, f"the upload's runs are {list(runs.values())}, none of them succeeded"
        )
        await asyncio.sleep(0.5)


async def process_of_run(settings: Settings, upload_id: str) -> int | None:
    """The pid of the process that does the upload's run now, as the run's own events tell it."""
    for run_id, status in (await runs_of_upload(settings, upload_id)).items():
        if status != "STARTED":
            continue
        run = (await _ask(settings, ENGINE_EVENTS, {"runId": run_id}))["runOrError"]
        for event in run["eventConnection"]["events"]:
            for entry in event.get("metadataEntries", []):
                if entry["label"] == "pid":
                    return int(entry.get("intValue") or entry["text"])
    return None
