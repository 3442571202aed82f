"""What a stage's asset is in Dagster: called by its title's name, and skipped with a reason when the film is refused.

A refusal is an outcome and no failure: the stage stores nothing, its run says why in one line, the stages after it are
skipped, and the run ends as a success. A failure of the platform still fails the step, and a failed check still stops the
chain.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import dagster as dg

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext
TITLE_TAG: Final = "marquee/title"
"""The title's name, for people: a run of `m_01j9...` says nothing."""
OUTCOME_TAG: Final = "marquee/outcome"
REFUSED: Final = "refused"
MAX_NAME: Final = 120
NO_RETRY_TAG: Final = {"dagster/retry_on_asset_or_op_failure": "false"}

Body = Callable[..., Awaitable[dg.MaterializeResult[None]]]


def stage_asset(**options: Any) -> Callable[[Body], dg.AssetsDefinition]:
    """`dagster.asset` for a stage. If its film is refused, the asset is not materialized and what comes after it is skipped."""

    def asset_of(body: Body) -> dg.AssetsDefinition:
        @functools.wraps(body)
        async def stage(*given: Any, **resources: Any) -> AsyncIterator[dg.MaterializeResult[None]]:
            # None: `open_stage` has recorded a refusal and has left the body.
            if (result := await body(*given, **resources)) is not None:
                yield result

        made: dg.AssetsDefinition = dg.asset(output_required=False, **options)(stage)
        return made

    return asset_of


def tell_refusal(context: dg.AssetExecutionContext, reason: str) -> None:
    """Say on the asset's page and in the run that the film is refused, and why."""
    context.log.warning(f"Refused: {reason}")
    context.log_event(
        dg.AssetObservation(
            context.asset_key,
            partition=context.partition_key,
            description=reason,
            metadata={"outcome": REFUSED, "reason": reason},
        )
    )
    context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: REFUSED})


def name_tag(name: str) -> str:
    """A title's name as a tag's value: one line, not too long."""
    line = " ".join(name.split())
    return line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 1]}…"


def call_by_name(context: Context, name: str) -> None:
    """Tag the run with the title's name, and show it on the asset's page."""
    if context.run.tags.get(TITLE_TAG) != name_tag(name):
        context.instance.add_run_tags(context.run.run_id, {TITLE_TAG: name_tag(name)})
    if isinstance(context, dg.AssetExecutionContext):
        context.add_asset_metadata({"title": name})


def failure_without_retry(context: Context, sentence: str) -> dg.Failure:
    """After it neither the step nor the run is retried. The UI shows the sentence."""
    context.instance.add_run_tags(context.run.run_id, NO_RETRY_TAG)
    return dg.Failure(description=sentence, allow_retries=False)
