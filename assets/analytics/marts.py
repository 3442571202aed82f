"""The marts: dbt builds them in the schema `marts_next`, checks judge them, and `accepted_marts` lets people have them.

    staging views <- tables of Spark, of the catalogue, of the history      each mart is an asset, each test of dbt a check of it

A failed test of dbt or a failed expectation leaves the schema `marts` as it was: the engineers' pages show yesterday's
numbers, with their age. The refused build stays in `marts_next` for a look, until the next one.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import dagster as dg

from assets.analytics import dbt_project, suites
from assets.analytics.dbt_run import DbtBuild, Step, build
from assets.analytics.installed import require_analytics
from assets.analytics.judgements import Volume, newest_judgement
from assets.analytics.judging import Subject, judge
from assets.analytics.partitions import FRESH_DAY, OWNERS, STORE_RETRY
from marquee.domain.volume import fewest_rows
from marquee.settings import Settings
from marquee.stores.warehouse import open_warehouse
from marquee.stores.warehouse.contract import MARTS, NEXT, MartBuild, MartsNotBuilt

WAIT_SECONDS: Final = 1800.0
SCHEMA: Final = "marts"
LAST: Final = "mart_build"
"""The mart that dbt builds last: it counts the rows of the others."""
KEYS: Final = {
    "daily_watch": ("day", "movie_id"),
    "title_performance": ("movie_id",),
    "retention_weekly": ("cohort_week", "weeks_since"),
    "search_quality": ("day", "query"),
    "quality_of_experience_daily": ("day", "cut", "value"),
    "failures_daily": ("day", "error_code"),
    "encoding_cost": ("movie_id", "version"),
}
MORE_COLUMNS: Final = {"daily_watch": "watch_hours / nullif(viewers, 0) AS hours_per_viewer"}


def mart_key(name: str) -> dg.AssetKey:
    return dg.AssetKey([SCHEMA, name])


def _specs() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            mart_key(mart.name),
            deps=[*(mart_key(name) for name in mart.marts), *(dg.AssetKey(name) for name in mart.assets)],
            description=mart.description,
            kinds={"dbt", "postgres"},
            owners=OWNERS,
            skippable=True,
            freshness_policy=FRESH_DAY,
            metadata={
                "dagster/column_schema": dg.TableSchema(
                    columns=[dg.TableColumn(name, description=words) for name, words in mart.columns.items()]
                ),
                "table": f"{MARTS}.{mart.name}",
            },
        )
        for mart in dbt_project.marts()
    ]


def _checks() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            name, asset=mart_key(mart.name), blocking=True, description=f"dbt's test `{name}` of `{mart.name}`."
        )
        for mart in dbt_project.marts()
        for name in mart.tests
    ]


@dg.multi_asset(name="dbt_build", specs=_specs(), check_specs=_checks(), retry_policy=STORE_RETRY)
def marts(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """`dbt build` of the whole project, in the schema `marts_next`."""
    require_analytics("dbt")
    warehouse = open_warehouse(settings.database)
    with warehouse.exclusively("marts", wait_seconds=WAIT_SECONDS):
        asyncio.run(_begin(settings))
        done = build(settings)
        builds = asyncio.run(_builds(settings, NEXT))
    models = done.models()
    for mart in dbt_project.marts():
        step = models.get(mart.name)
        if step is not None and step.status == "success":
            yield dg.MaterializeResult(mart_key(mart.name), metadata=_metadata(step, builds.get(mart.name)))
    failed = [step for step in done.tests() if step.status in ("fail", "error")]
    yield from (_check_result(step) for step in done.tests() if _has_check(step) and step.status != "skipped")
    if (faults := done.faults()) and not any(_has_check(step) for step in failed):
        raise dg.Failure(description="; ".join(faults[:3]), metadata={"faults": len(faults)}, allow_retries=False)
    context.log.info(_summary(done))


def _has_check(step: Step) -> bool:
    """Whether the test is a check of a mart's asset. Tests of sources and staging views have no asset: they fail the step."""
    return any(step.attached == mart.name and step.check in mart.tests for mart in dbt_project.marts())


def _check_result(step: Step) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=mart_key(step.attached),
        check_name=step.check,
        passed=step.status in ("pass", "success"),
        description=None if step.status == "pass" else f"{step.failures} rows do not pass. {step.message}",
        metadata={"seconds": round(step.seconds, 3), "rows_that_fail": step.failures, "test": step.name},
    )


def _metadata(step: Step, built: MartBuild | None) -> dict[str, str | int | float]:
    told: dict[str, str | int | float] = {"seconds": round(step.seconds, 3)}
    if built is not None:
        told["dagster/row_count"] = built.rows
        if built.through is not None:
            told["through"] = built.through.isoformat()
    return told


def _summary(done: DbtBuild) -> str:
    tests = done.tests()
    return (
        f"{len(done.models())} models, {sum(1 for step in tests if step.status == 'pass')} of {len(tests)} tests passed"
    )


async def _begin(settings: Settings) -> None:
    warehouse = open_warehouse(settings.database)
    try:
        await warehouse.begin()
    finally:
        await warehouse.close()


async def _builds(settings: Settings, schema: str) -> dict[str, MartBuild]:
    warehouse = open_warehouse(settings.database)
    try:
        return await warehouse.builds(schema)
    finally:
        await warehouse.close()


@dg.asset_check(asset=mart_key(LAST), blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def marts_are_sound(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Every mart has its keys, rates that are rates, and not suddenly half of the rows of the one that people read."""
    require_analytics("great_expectations")
    accepted, built = await _builds(settings, MARTS), await _builds(settings, NEXT)
    subjects = []
    for name, keys in KEYS.items():
        more = "".join(f", {expression}" for expression in [MORE_COLUMNS.get(name)] if expression)
        row_key = f"concat_ws('/', {', '.join(keys)})"
        rows = accepted[name].rows if name in accepted else 0
        fewest = fewest_rows(rows, accept_smaller=config.accept_smaller)
        query = f"SELECT *, {row_key} AS row_key{more} FROM {NEXT}.{name}"  # noqa: S608 - names of this module
        subjects.append(Subject(name, query, keys, suites.mart(name, keys, rows=built[name].rows, fewest=fewest)))
    verdict = await asyncio.to_thread(
        judge,
        settings,
        "marts",
        subjects,
        url=open_warehouse(settings.database).sqlalchemy_url(),
        metadata={"built_at": _built_at(built)},
    )
    if verdict.reason:
        context.log.error(f"Held back, people read the marts that were accepted before: {verdict.reason}")
    return verdict.check_result()


def _built_at(builds: Mapping[str, MartBuild]) -> str:
    """When a build was made, which tells it from all others. Empty: there is no build."""
    return max((build.built_at.isoformat() for build in builds.values()), default="")


@dg.asset(
    deps=[mart_key(name) for name in (*KEYS, LAST)],
    kinds={"postgres"},
    owners=OWNERS,
    retry_policy=STORE_RETRY,
    freshness_policy=FRESH_DAY,
)
async def accepted_marts(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The schema `marts` that the engineers' pages read: replaced whole, in one transaction, by the build that was judged."""
    judged = newest_judgement(context.instance, marts_are_sound.check_key)["built_at"]
    warehouse = open_warehouse(settings.database)
    try:
        try:
            with warehouse.exclusively("marts", wait_seconds=WAIT_SECONDS):
                if (built := _built_at(await warehouse.builds(NEXT))) not in ("", judged):
                    reason = f"The build in {NEXT} is of {built}, and the check has seen that of {judged}"
                    raise dg.Failure(description=f"{reason}: run the check again.", allow_retries=False)
                await warehouse.publish()
        except MartsNotBuilt as error:
            raise dg.Failure(description=error.detail, allow_retries=False) from error
        builds = await warehouse.builds(MARTS)
    finally:
        await warehouse.close()
    through = max(
        (build.through for name, build in builds.items() if build.through and name != "encoding_cost"), default=None
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(build.rows for build in builds.values()),
            **{f"rows of {name}": build.rows for name, build in builds.items()},
            "through": through.isoformat() if through else "no events yet",
        }
    )
