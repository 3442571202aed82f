"""Judges what Spark found and lets viewers have it: a blocking check for each batch, and the assets `accepted_...`.

A batch has the state `written` until the check has seen it. Refused: the check writes the reason on the batch, nothing
after it runs, and viewers keep the batch that was accepted before. Accepted: one transaction makes it the batch of its
name, then the cached rows that show it are purged. An older day that is made again never takes the place of a newer one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import dagster as dg

from assets.analytics import suites
from assets.analytics.installed import require_analytics
from assets.analytics.judgements import Volume, newest_judgement
from assets.analytics.judging import Subject, Verdict, judge
from assets.analytics.partitions import FRESH_DAY, OWNERS, STORE_RETRY, days
from marquee.domain.volume import fewest_rows
from marquee.settings import Settings
from marquee.stores.analytics import open_findings_writer
from marquee.stores.analytics.acceptance import follow_accepted
from marquee.stores.analytics.writing import Batch, BatchName, FindingsWriter
from marquee.stores.opened import open_stores
from marquee.stores.warehouse import open_warehouse

BATCHES: Final[Mapping[str, tuple[BatchName, ...]]] = {
    "popularity": ("popularity",),
    "taste": ("similar", "suggestions"),
    "candidates": ("candidates",),
}
"""The batches that an asset writes."""

QUERIES: Final[Mapping[str, str]] = {
    "popularity": """
        SELECT b.genre, b.rank, b.movie_id, b.score, concat_ws('/', b.genre, b.movie_id) AS key,
               t.movie_id AS known, false AS names_itself
        FROM popularity AS b LEFT JOIN title AS t USING (movie_id) WHERE b.batch_id = {batch_id}""",
    "similar": """
        SELECT b.movie_id, b.rank, b.similar_id, b.score, b.basis, concat_ws('/', b.movie_id, b.similar_id) AS key,
               t.movie_id AS known, b.movie_id = b.similar_id AS names_itself
        FROM similar_title AS b LEFT JOIN title AS t ON t.movie_id = b.similar_id WHERE b.batch_id = {batch_id}""",
    "suggestions": """
        SELECT b.because_movie_id, b.rank, b.movie_id, b.score,
               md5(concat_ws('/', b.profile_id, b.because_movie_id, b.movie_id)) AS key,
               t.movie_id AS known, b.movie_id = b.because_movie_id AS names_itself
        FROM suggestion AS b LEFT JOIN title AS t USING (movie_id) WHERE b.batch_id = {batch_id}""",
    "genre_taste": "SELECT genre, share FROM genre_taste WHERE batch_id = {batch_id}",
    "candidates": """
        SELECT b.rank, b.movie_id, b.watch_hours, b.sent_bytes, b.expected_saving_bytes, b.movie_id AS key,
               t.movie_id AS known, false AS names_itself
        FROM reencode_candidate AS b LEFT JOIN title AS t USING (movie_id) WHERE b.batch_id = {batch_id}""",
}
"""No query shows a profile: Data Docs and samples keep the rows that are wrong, and an erasure does not reach them."""
KEYS: Final[Mapping[str, Sequence[str]]] = {
    "popularity": ("genre", "rank", "movie_id"),
    "similar": ("movie_id", "rank", "similar_id"),
    "suggestions": ("because_movie_id", "rank", "movie_id"),
    "genre_taste": ("genre",),
    "candidates": ("rank", "movie_id"),
}


@dg.asset_check(asset="popularity", blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def popularity_is_sound(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Scores and ranks are whole, titles are in the catalogue, and there are not suddenly half as many rows."""
    return await _check(context, config, settings, "popularity")


@dg.asset_check(asset="taste", blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def taste_is_sound(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Suggestions and similar titles are whole, name titles of the catalogue and not themselves, and are not half as many."""
    return await _check(context, config, settings, "taste")


@dg.asset_check(asset="candidates", blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def candidates_are_sound(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Savings are bytes that a title of the catalogue sends, each title stands once."""
    return await _check(context, config, settings, "candidates")


async def _check(
    context: dg.AssetCheckExecutionContext, config: Volume, settings: Settings, asset: str
) -> dg.AssetCheckResult:
    require_analytics("great_expectations")
    async with opened_findings(settings) as findings:
        verdict = await judge_batches(settings, findings, asset, accept_smaller=config.accept_smaller)
    if verdict.reason:
        context.log.error(f"Held back, viewers keep what they had: {verdict.reason}")
    return verdict.check_result()


async def judge_batches(
    settings: Settings, findings: FindingsWriter, asset: str, *, accept_smaller: bool = False
) -> Verdict:
    """Judge the newest batches of an asset. One bad batch refuses all of them: they were made from the same events.

    The verdict's metadata names each batch, by `judged_name`.
    """
    newest = [batch for name in BATCHES[asset] if (batch := await findings.latest(name)) is not None]
    subjects = [
        subject for batch in newest for subject in await _subjects(settings, batch, accept_smaller=accept_smaller)
    ]
    url = open_warehouse(settings.database).sqlalchemy_url()
    judged = {judged_name(batch.name): batch.batch_id for batch in newest}
    verdict = await asyncio.to_thread(judge, settings, asset, subjects, url=url, metadata=judged)
    if verdict.reason:
        for batch in newest:
            if batch.state == "written":
                await findings.judge(batch.batch_id, accepted=False, reason=verdict.reason)
    return verdict


def judged_name(name: BatchName) -> str:
    """The metadata of a check that says which batch of this name it judged."""
    return f"{name}_batch"


async def _subjects(settings: Settings, batch: Batch, *, accept_smaller: bool) -> list[Subject]:
    warehouse = open_warehouse(settings.database)
    try:
        fewest = fewest_rows(await warehouse.accepted_rows(batch.name), accept_smaller=accept_smaller)
    finally:
        await warehouse.close()
    parts = ("suggestions", "genre_taste") if batch.name == "suggestions" else (batch.name,)
    return [
        Subject(
            part,
            QUERIES[part].format(batch_id=batch.batch_id),
            KEYS[part],
            # The number of rows is the batch's: of the first of its tables nearly all of them.
            suites.batch_of(part, fewest if part == batch.name and len(parts) == 1 else 0),
        )
        for part in parts
    ]


def _acceptance(check: dg.AssetChecksDefinition, asset: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"accepted_{asset}",
        description=description,
        deps=[asset],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"postgres", "valkey"},
        owners=OWNERS,
        retry_policy=STORE_RETRY,
        freshness_policy=FRESH_DAY,
    )
    async def accepted(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult[None]:
        judged = newest_judgement(context.instance, check.check_key)
        async with opened_findings(settings) as findings:
            told = {
                name: await accept(context, settings, findings, name, judged=judged.get(judged_name(name)))
                for name in BATCHES[asset]
            }
        return dg.MaterializeResult(
            metadata={f"{name} {key}": value for name, one in told.items() for key, value in one.items()}
        )

    return accepted


async def accept(
    context: dg.AssetExecutionContext,
    settings: Settings,
    findings: FindingsWriter,
    name: BatchName,
    *,
    judged: int | None,
) -> dict[str, str | int]:
    """Accept the newest batch of a name, then purge the rows that show it. What it says is the asset's metadata.

    `judged`: the batch that the check let pass. Raises `dagster.Failure` for a batch that a check has refused, that no check has
    seen, or that is not there.
    """
    batch = await findings.latest(name)
    if batch is None or batch.state == "refused":
        reason = f"was refused: {batch.reason}" if batch else "is not there: run its Spark job"
        raise dg.Failure(description=f"The newest batch of {name} {reason}", allow_retries=False)
    if batch.batch_id != judged:
        reason = f"is {batch.batch_id}, and the check has seen {judged}: run the check again"
        raise dg.Failure(description=f"The newest batch of {name} {reason}", allow_retries=False)
    if batch.state == "written":
        warehouse = open_warehouse(settings.database)
        try:
            through = await warehouse.accepted_through(name)
        finally:
            await warehouse.close()
        if through is not None and batch.through < through:
            reason = f"It is of {batch.through:%Y-%m-%d %H:%M}; viewers have one of {through:%Y-%m-%d %H:%M}."
            batch = await findings.judge(batch.batch_id, accepted=False, reason=reason)
            context.log.info(f"Batch {batch.batch_id} of {name} stays unused. {reason}")
            return {"batch": batch.batch_id, "state": "older than the accepted one"}
        batch = await findings.judge(batch.batch_id, accepted=True)
    followed = await _follow(settings, name)
    return {
        "batch": batch.batch_id,
        "state": batch.state,
        "rows": batch.rows,
        "through": batch.through.isoformat(timespec="seconds"),
        **followed,
    }


async def _follow(settings: Settings, name: BatchName) -> dict[str, str | int]:
    """With the cache down the rows expire by themselves within `row_ttl_seconds`, which the metadata says."""
    async with open_stores(settings) as stores:
        followed = await follow_accepted(stores, name)
    purged = ", ".join(followed.purged) or "none"
    if not followed.is_purged:
        purged = f"not purged, the rows expire within {settings.row_ttl_seconds} s: {purged}"
    return {"titles whose popularity moved": followed.moved_titles, "purged rows": purged}


@asynccontextmanager
async def opened_findings(settings: Settings) -> AsyncIterator[FindingsWriter]:
    findings = open_findings_writer(settings.database)
    try:
        yield findings
    finally:
        await findings.close()


accepted_popularity = _acceptance(
    popularity_is_sound,
    "popularity",
    "The trending titles that viewers have: the rows of home, and the prior of search. A refused batch leaves yesterday's.",
)
accepted_taste = _acceptance(
    taste_is_sound,
    "taste",
    'What viewers have of "Because you watched" and "More like this". A refused batch leaves yesterday\'s.',
)
accepted_candidates = _acceptance(
    candidates_are_sound,
    "candidates",
    "The titles that engineers are told to encode again. A refused batch leaves yesterday's.",
)
