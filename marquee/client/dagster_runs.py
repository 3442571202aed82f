"""Starts a run in Dagster by its GraphQL, and follows it step by step until it has ended.

For commands that work through Dagster, so that what they did stands in its UI. The webserver keeps connections to PostgreSQL
open: after PostgreSQL was killed the next query answers 500, and the one after it succeeds. So queries are repeated, starts not.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import tenacity

from marquee.errors import PlatformUnavailable
from marquee.settings import Settings

QUERY_SECONDS: Final = 20.0
RETRY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 1.0
REPOSITORY: Final = "__repository__"
PARTITION_TAG: Final = "dagster/partition"
RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
RANGE_END_TAG: Final = "dagster/asset_partition_range_end"
"""Both, with a partition each: one run of all partitions from the first to the second."""
ENDED: Final = ("SUCCESS", "FAILURE", "CANCELED")

_LAUNCH: Final = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on Error { message }
  }
}"""
_STEPS: Final = """query Steps($runId: ID!) {
  runOrError(runId: $runId) {
    ... on Run { status stepStats { stepKey status startTime endTime } }
  }
}"""


@dataclass(frozen=True)
class RunState:
    """`status` is Dagster's. `steps`: step -> its status, of those that have begun, in their order."""

    status: str
    steps: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def failed_steps(self) -> list[str]:
        return [step for step, status in self.steps.items() if status == "FAILURE"]


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.HTTPError),
    wait=tenacity.wait_random(0.2, 1.0),
    stop=tenacity.stop_after_delay(RETRY_SECONDS),
    reraise=True,
)
async def ask(settings: Settings, query: str, variables: Mapping[str, object]) -> Any:
    """The data of a query. Repeated on an HTTP error for at most RETRY_SECONDS."""
    return await _post(settings, query, variables)


async def _post(settings: Settings, query: str, variables: Mapping[str, object]) -> Any:
    async with httpx.AsyncClient(timeout=QUERY_SECONDS) as http:
        answer = await http.post(f"{settings.dagster}/graphql", json={"query": query, "variables": variables})
    return answer.raise_for_status().json()["data"]


async def launch(
    settings: Settings,
    *,
    location: str,
    job: str,
    partition: str = "",
    tags: Mapping[str, str] | None = None,
    assets: Sequence[str] = (),
) -> str:
    """Start a run of this location's job, of all its assets or of `assets`; returns its id. Raises `PlatformUnavailable`."""
    given = {**({PARTITION_TAG: partition} if partition else {}), **(tags or {})}
    selector: dict[str, object] = {
        "repositoryLocationName": location,
        "repositoryName": REPOSITORY,
        "jobName": job,
    }
    if assets:
        selector["assetSelection"] = [{"path": name.split("/")} for name in assets]
    params = {
        "selector": selector,
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in given.items()]},
    }
    try:
        answer = (await _post(settings, _LAUNCH, {"params": params}))["launchRun"]
    except httpx.HTTPError as error:
        raise PlatformUnavailable(f"Dagster at {settings.dagster} did not start the job {job}: {error}.") from error
    if "run" not in answer:
        raise PlatformUnavailable(
            f"Dagster did not start the job {job}: {answer.get('message') or answer['__typename']}"
        )
    return str(answer["run"]["runId"])


async def state_of(settings: Settings, run_id: str) -> RunState:
    """How far a run is."""
    run = (await ask(settings, _STEPS, {"runId": run_id}))["runOrError"]
    steps = sorted(run.get("stepStats") or [], key=lambda step: float(step["startTime"] or 0))
    return RunState(run.get("status", "NOT_FOUND"), {step["stepKey"]: step["status"] or "" for step in steps})


async def follow(
    settings: Settings, run_id: str, *, seconds: float, on_state: Callable[[RunState], None] = lambda _: None
) -> RunState:
    """Wait until the run has ended, at most `seconds`. Raises `PlatformUnavailable` after that time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        state = await state_of(settings, run_id)
        on_state(state)
        if state.has_ended:
            return state
        if loop.time() > deadline:
            raise PlatformUnavailable(
                f"Dagster's run {run_id} is {state.status} after {seconds:.0f} s: see {settings.dagster}/runs/{run_id}"
            )
        await asyncio.sleep(POLL_SECONDS)
