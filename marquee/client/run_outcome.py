"""What a run of analytics has made, held back and failed at, from Dagster's events of the run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from marquee.client.dagster_runs import ask
from marquee.settings import Settings

EVENTS_AT_ONCE: Final = 500
MAX_PAGES: Final = 40
"""Of events. A run has some hundred."""
_EVENTS: Final = """query Outcome($runId: ID!, $after: String, $limit: Int!) {
  runOrError(runId: $runId) { ... on Run {
    eventConnection(afterCursor: $after, limit: $limit) { cursor hasMore events {
      ... on MaterializationEvent { made: assetKey { path } metadataEntries {
        label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text }
      } }
      ... on AssetCheckEvaluationEvent { evaluation { success checkName description } }
      ... on ExecutionStepFailureEvent {
        stepKey failureMetadata { description } error { message errorChain { error { message } } }
      }
    } }
  } }
}"""


class RunOutcome(msgspec.Struct, frozen=True):
    """How a run ended. `status` is Dagster's: SUCCESS, FAILURE or CANCELED."""

    status: str
    made: dict[str, dict[str, int | str]] = {}
    """Asset -> its numbers and words."""
    held_back: dict[str, str] = {}
    """Failed check -> which expectation is not met."""
    failed: dict[str, str] = {}
    """Failed step -> the reason. A step of a failed check is not among them."""
    where: str = ""
    """Where a person reads more."""

    @property
    def is_whole(self) -> bool:
        return self.status == "SUCCESS" and not self.held_back


async def outcome_of(settings: Settings, run_id: str, status: str) -> RunOutcome:
    """Read the events of a run that has ended."""
    events: list[dict[str, Any]] = []
    after = None
    for _ in range(MAX_PAGES):
        variables = {"runId": run_id, "after": after, "limit": EVENTS_AT_ONCE}
        page = (await ask(settings, _EVENTS, variables))["runOrError"].get("eventConnection")
        if not page:
            break
        events += page["events"]
        after = page["cursor"]
        if not page["hasMore"]:
            break
    evaluations = [event["evaluation"] for event in events if "evaluation" in event]
    return RunOutcome(
        status,
        {"/".join(event["made"]["path"]): _numbers(event["metadataEntries"]) for event in events if "made" in event},
        {one["checkName"]: one["description"] or "" for one in evaluations if not one["success"]},
        of_steps({event["stepKey"]: _reason(event) for event in events if event.get("error")}),
        f"{settings.dagster}/runs/{run_id}",
    )


def of_steps(failed: Mapping[str, str]) -> dict[str, str]:
    """Without the steps that failed because a blocking check did not pass: the check itself says why."""
    return {step: reason for step, reason in failed.items() if "checks failed" not in reason}


def _reason(event: Mapping[str, Any]) -> str:
    described = (event.get("failureMetadata") or {}).get("description")
    chain = [one["error"]["message"] for one in event["error"].get("errorChain") or ()]
    return str(described or first_line([*chain[-1:], event["error"]["message"]]))


def first_line(messages: Sequence[str]) -> str:
    """The first line of the first message that has one."""
    return next((line for message in messages for line in message.strip().splitlines() if line), "no reason is given")[
        :300
    ]


def _numbers(entries: Sequence[Mapping[str, Any]]) -> dict[str, int | str]:
    found = {one["label"]: one.get("intValue", one.get("text")) for one in entries}
    return {label: value for label, value in found.items() if value is not None}
