"""What checks have said, from Dagster's storage: an acceptance takes what was judged, and nothing that came after it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import dagster as dg
from pydantic import Field

MAX_LOOKED_AT: Final = 200
"""Evaluations of a check that are looked at for one that passed: more than half a year of days."""


class Volume(dg.Config):
    """Configuration of a check of volume."""

    accept_smaller: bool = Field(
        default=False,
        description="Let a batch pass that has less than half of the rows of the one before: a person knows why.",
    )


def newest_judgement(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> Mapping[str, Any]:
    """The metadata of a check's newest evaluation. Raises `dagster.Failure` where there is none, or it did not pass."""
    told = next(_newest(instance, key), None)
    if told is None or not told.passed:
        reason = f"did not pass: {told.description}" if told else "has judged nothing yet: run it first"
        raise dg.Failure(description=f"The check {key.name} {reason}", allow_retries=False)
    return _values(told)


def newest_passed(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> Mapping[str, Any]:
    """The metadata of the newest evaluation that passed. Empty: there is none."""
    return next((_values(told) for told in _newest(instance, key) if told.passed), {})


def _newest(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> Iterator[dg.AssetCheckEvaluation]:
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=MAX_LOOKED_AT):
        event = record.event.dagster_event if record.event else None
        # A run that has only planned the check has another event there.
        if event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            yield event.asset_check_evaluation_data


def _values(told: dg.AssetCheckEvaluation) -> Mapping[str, Any]:
    return {name: value.value for name, value in told.metadata.items()}
