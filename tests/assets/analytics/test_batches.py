"""What Spark wrote is judged before viewers have it: each expectation with good and bad rows, and yesterday's rows stay."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from assets.analytics.batches import accept, judge_batches, judged_name, opened_findings
from assets.analytics.judgements import newest_judgement, newest_passed
from marquee.settings import Settings
from marquee.stores.analytics.writing import BatchName, BatchTable, FindingsWriter
from marquee.stores.opened import open_stores
from tests.harness.facts import add_title

THROUGH = datetime(2026, 11, 30, tzinfo=UTC)
MOVIES = [f"m_{number:02}" for number in range(30)]

POPULARITY = [["", rank, movie_id, 1.0, 60.0] for rank, movie_id in enumerate(MOVIES, 1)]
SIMILAR = [[movie_id, 1, MOVIES[number - 1], 0.5, "content"] for number, movie_id in enumerate(MOVIES)]
SUGGESTIONS = [["p_1", "m_00", rank, movie_id, 0.5] for rank, movie_id in enumerate(MOVIES[1:], 1)]
TASTE = [["p_1", "Drama", 0.75], ["p_1", "Comedy", 0.25]]
CANDIDATES = [[rank, movie_id, 2.0, 1000, 400, "h264 1080"] for rank, movie_id in enumerate(MOVIES, 1)]

GOOD: dict[BatchName, dict[BatchTable, list[list[Any]]]] = {
    "popularity": {"popularity": POPULARITY},
    "similar": {"similar_title": SIMILAR},
    "suggestions": {"suggestion": SUGGESTIONS, "genre_taste": TASTE},
    "candidates": {"reencode_candidate": CANDIDATES},
}
ASSETS = {"popularity": "popularity", "similar": "taste", "suggestions": "taste", "candidates": "candidates"}


def with_row(table: Sequence[list[Any]], row: list[Any]) -> list[list[Any]]:
    return [*table, row]


BAD: list[tuple[BatchName, dict[BatchTable, list[list[Any]]], str]] = [
    ("popularity", {"popularity": POPULARITY[:10]}, "The batch has 15 rows or more"),
    (
        "popularity",
        {"popularity": with_row(POPULARITY, ["", 99, "m_nowhere", 1.0, 1.0])},
        "Every title is in the catalogue",
    ),
    (
        "popularity",
        {"popularity": with_row(POPULARITY, ["", 99, "m_01", 1.0, 1.0])},
        "A title stands once in each list",
    ),
    ("popularity", {"popularity": with_row(POPULARITY[:-1], ["", 0, "m_29", 1.0, 1.0])}, "Ranks begin at 1"),
    (
        "similar",
        {"similar_title": with_row(SIMILAR, ["m_01", 2, "m_01", 0.5, "content"])},
        "No title is found because of itself",
    ),
    (
        "suggestions",
        {"suggestion": SUGGESTIONS, "genre_taste": with_row(TASTE, ["p_2", "Drama", 7.0])},
        "A share is 0 to 1",
    ),
    (
        "candidates",
        {"reencode_candidate": with_row(CANDIDATES[:-1], [30, "m_29", 1.0, 10, -5, "x"])},
        "A saving is 0 bytes or more",
    ),
]


class Context:
    """What `accept` uses of Dagster's context."""

    class log:
        @staticmethod
        def info(_: str) -> None: ...


async def accept_newest(settings: Settings, findings: FindingsWriter, name: BatchName) -> dict[str, str | int]:
    """Accept the newest batch, as if the check had let it pass."""
    newest = await findings.latest(name)
    assert newest is not None
    return await accept(Context, settings, findings, name, judged=newest.batch_id)  # type: ignore[arg-type]


@pytest.fixture
def with_titles(own_settings: Settings, valkey_cache_server: Settings, connection: psycopg.Connection) -> Settings:
    for movie_id in MOVIES:
        add_title(connection, movie_id, f"Film {movie_id}")
    return own_settings


def states(connection: psycopg.Connection, name: str) -> list[str]:
    rows = connection.execute("SELECT state FROM analytics_batch WHERE name = %s ORDER BY batch_id", [name])
    return [row[0] for row in rows.fetchall()]


async def test_good_batches_are_accepted_and_each_kind_of_bad_one_leaves_yesterdays(
    with_titles: Settings, connection: psycopg.Connection
) -> None:
    async with opened_findings(with_titles) as findings, open_stores(with_titles) as stores:
        for name, tables in GOOD.items():
            await findings.write_batch(name, THROUGH, tables)
        cached = "row:trending:v1"
        filled = await stores.row_cache.generation(cached)
        assert await stores.row_cache.fill(cached, b"old", generation=filled, fresh_seconds=60, keep_seconds=60)
        for asset in ("popularity", "taste", "candidates"):
            verdict = await judge_batches(with_titles, findings, asset)
            assert verdict.reason is None, f"{asset}: {verdict.failures}"
        for name in GOOD:
            told = await accept_newest(with_titles, findings, name)
            assert told["state"] == "accepted"
        assert await stores.row_cache.get(cached) is None, "viewers would see the old row until it is stale"

        for name, tables, sentence in BAD:
            await findings.write_batch(name, THROUGH + timedelta(days=1), tables)
            verdict = await judge_batches(with_titles, findings, ASSETS[name])
            assert [one for one in verdict.failures if sentence in one.sentence], f"{sentence}: {verdict.failures}"
            newest = await findings.latest(name)
            assert newest is not None
            assert newest.state == "refused"
            assert newest.reason == verdict.reason
            assert "accepted" in states(connection, name), f"{sentence}: viewers have no batch of {name} any more"
            with pytest.raises(Exception, match="was refused"):
                await accept_newest(with_titles, findings, name)
        assert connection.execute(
            "SELECT count(*) FROM popularity JOIN analytics_batch USING (batch_id) WHERE state = 'accepted'"
        ).fetchall() == [(len(MOVIES),)]


async def test_an_empty_platform_and_an_older_day_are_no_faults(
    with_titles: Settings, connection: psycopg.Connection
) -> None:
    async with opened_findings(with_titles) as findings:
        await findings.write_batch("popularity", THROUGH, {"popularity": []})
        verdict = await judge_batches(with_titles, findings, "popularity")
        assert verdict.reason is None, verdict.failures
        assert (await accept_newest(with_titles, findings, "popularity"))["state"] == "accepted"
        await findings.write_batch("popularity", THROUGH - timedelta(days=3), GOOD["popularity"])
        told = await accept_newest(with_titles, findings, "popularity")
        assert told["state"] == "older than the accepted one"
        assert states(connection, "popularity") == ["accepted", "refused"]
        await findings.write_batch("popularity", THROUGH, GOOD["popularity"])
        assert (await accept_newest(with_titles, findings, "popularity"))["state"] == "accepted"
        again = await accept_newest(with_titles, findings, "popularity")
        assert again["state"] == "accepted", "a run that is retried after its commit fails"


async def test_with_the_row_cache_down_a_batch_is_accepted_and_it_is_said(with_titles: Settings) -> None:
    down = with_titles.model_copy(update={"row_cache_url": "valkey://127.0.0.1:1"})
    async with opened_findings(down) as findings:
        await findings.write_batch("popularity", THROUGH, GOOD["popularity"])
        told = await asyncio.wait_for(accept_newest(down, findings, "popularity"), 60)
    assert told["state"] == "accepted"
    assert "not purged" in str(told["purged rows"])


async def test_only_the_batch_that_was_judged_is_accepted(
    with_titles: Settings, connection: psycopg.Connection
) -> None:
    async with opened_findings(with_titles) as findings:
        judged = await findings.write_batch("popularity", THROUGH, GOOD["popularity"])
        verdict = await judge_batches(with_titles, findings, "popularity")
        assert verdict.metadata == {judged_name("popularity"): judged}
        await findings.write_batch("popularity", THROUGH, {"popularity": []})
        for seen in (judged, None):
            with pytest.raises(dg.Failure, match=f"the check has seen {seen}: run the check again"):
                await accept(Context, with_titles, findings, "popularity", judged=seen)  # type: ignore[arg-type]
    assert states(connection, "popularity") == ["written", "written"], "viewers have what no check has seen"


async def test_a_person_lets_a_true_halving_pass(with_titles: Settings) -> None:
    async with opened_findings(with_titles) as findings:
        await findings.write_batch("popularity", THROUGH, GOOD["popularity"])
        await accept_newest(with_titles, findings, "popularity")
        await findings.write_batch("popularity", THROUGH, {"popularity": POPULARITY[:10]})
        assert (await judge_batches(with_titles, findings, "popularity", accept_smaller=True)).reason is None
        assert (await accept_newest(with_titles, findings, "popularity"))["rows"] == 10
        refused = {"popularity": with_row(POPULARITY[:1], ["", 99, "m_nowhere", 1.0, 1.0])}
        await findings.write_batch("popularity", THROUGH, refused)
        smaller = await judge_batches(with_titles, findings, "popularity", accept_smaller=True)
        assert "Every title is in the catalogue" in (smaller.reason or ""), "only the volume may be let pass"


async def test_samples_and_data_docs_name_no_profile(with_titles: Settings) -> None:
    profile = "p_0000000000000000abcd"
    twice = [[profile, "m_00", 1, "m_00", 0.5], [profile, "m_00", 2, "m_00", 0.5]]
    async with opened_findings(with_titles) as findings:
        await findings.write_batch("similar", THROUGH, GOOD["similar"])
        await findings.write_batch(
            "suggestions", THROUGH, {"suggestion": twice, "genre_taste": [[profile, "Drama", 7.0]]}
        )
        verdict = await judge_batches(with_titles, findings, "taste")
    sentences = {"No title is found because of itself", "A title stands once in each list", "A share is 0 to 1"}
    assert {one.sentence for one in verdict.failures} >= sentences
    assert profile not in str(verdict.check_result())
    assert verdict.docs is not None
    pages = [path for path in verdict.docs.rglob("*") if path.is_file()]
    assert pages
    assert not [path for path in pages if profile.encode() in path.read_bytes()], "an erasure does not reach Data Docs"


def test_the_newest_judgement_counts_and_a_plan_is_none() -> None:
    key = dg.AssetCheckKey(dg.AssetKey("popularity"), "popularity_is_sound")

    def judged(batch: int, *, passed: bool) -> dg.AssetCheckEvaluation:
        return dg.AssetCheckEvaluation(
            asset_key=key.asset_key, check_name=key.name, passed=passed, metadata={"batch": batch}, description="Odd."
        )

    with dg.DagsterInstance.ephemeral() as instance:
        assert newest_passed(instance, key) == {}
        with pytest.raises(dg.Failure, match="has judged nothing yet"):
            newest_judgement(instance, key)
        instance.report_runless_asset_event(judged(1, passed=True))
        assert newest_judgement(instance, key) == {"batch": 1}
        instance.report_runless_asset_event(judged(2, passed=False))
        with pytest.raises(dg.Failure, match="did not pass: Odd"):
            newest_judgement(instance, key)
        assert newest_passed(instance, key) == {"batch": 1}
