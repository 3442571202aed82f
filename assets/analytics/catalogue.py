"""Asset `catalogue`: the titles as imports and the chain have left them, judged before anything is made of them.

It writes nothing. Uploads and `marquee import-catalogue` write titles; a bad import (half the titles gone, years and
lengths that cannot be, titles twice) holds back popularity, taste, candidates and the marts, and viewers keep yesterday's
rows.
"""

import asyncio
from dataclasses import replace
from typing import Final

import dagster as dg

from assets.analytics import suites
from assets.analytics.installed import require_analytics
from assets.analytics.judgements import Volume, newest_passed
from assets.analytics.judging import Subject, judge
from assets.analytics.partitions import FRESH_DAY, OWNERS, STORE_RETRY
from marquee.domain.volume import fewest_rows
from marquee.settings import Settings
from marquee.stores.warehouse import open_warehouse

TITLES: Final = """
SELECT movie_id, nullif(trim(title), '') AS name, year, duration_seconds,
       count(*) OVER () >= 100 AND row_number() OVER (PARTITION BY lower(title), year, people ORDER BY movie_id) > 1 AS is_copy
FROM title WHERE state NOT IN ('deleted', 'refused', 'failed', 'cancelled')
"""
"""A small catalogue may have a film twice: a copy that a person uploaded. In a large one many copies are an import gone wrong."""


@dg.asset(kinds={"postgres"}, owners=OWNERS, retry_policy=STORE_RETRY, freshness_policy=FRESH_DAY)
async def catalogue(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The titles of the catalogue: how many there are, and how many can be played."""
    warehouse = open_warehouse(settings.database)
    try:
        counts = await warehouse.title_counts()
    finally:
        await warehouse.close()
    kept = {state: count for state, count in counts.items() if state != "deleted"}
    return dg.MaterializeResult(metadata={"dagster/row_count": sum(kept.values()), **kept})


@dg.asset_check(asset=catalogue, blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def catalogue_is_sound(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Titles have names, years and lengths that can be, are there once, and are not suddenly half of what last passed."""
    require_analytics("great_expectations")
    before = newest_passed(context.instance, dg.AssetCheckKey(catalogue.key, "catalogue_is_sound")).get("titles", 0)
    fewest = fewest_rows(before, accept_smaller=config.accept_smaller)
    subject = Subject("titles", TITLES, ("movie_id",), suites.catalogue(fewest))
    verdict = await asyncio.to_thread(
        judge, settings, "catalogue", [subject], url=open_warehouse(settings.database).sqlalchemy_url()
    )
    titles = sum(one.rows or 0 for one in verdict.found)
    return replace(verdict, metadata={"titles": titles}).check_result()
