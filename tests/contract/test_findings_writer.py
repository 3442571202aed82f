"""Writing what analytics found: days replaced whole, batches that are judged."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime

import psycopg
import pytest

from marquee.errors import InputInvalid
from marquee.stores.analytics import open_findings_writer
from marquee.stores.analytics.writing import BatchNotJudged, FindingsWriter, Row
from marquee.stores.schema.migrate import migrate

DAY = date(2026, 11, 30)
THROUGH = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def url(empty_database: str) -> str:
    migrate(empty_database)
    return empty_database


@pytest.fixture
async def writer(url: str) -> AsyncIterator[FindingsWriter]:
    store = open_findings_writer(url)
    yield store
    await store.close()


def _ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]


async def test_a_day_is_replaced_whole_and_others_stay(url: str, writer: FindingsWriter) -> None:
    other = date(2026, 11, 29)
    await writer.write_day(other, {"daily_failure": [("old", 9, 9)]})
    await writer.write_day(DAY, {"daily_failure": [("network", 1, 2), ("media", 3, 4)]})
    assert await writer.write_day(DAY, {"daily_failure": [("media", 5, 0)]}) == {"daily_failure": 1}
    assert _ask(url, "SELECT * FROM daily_failure ORDER BY day") == [(other, "old", 9, 9), (DAY, "media", 5, 0)]


async def test_a_row_that_cannot_be_stored_leaves_the_old_day(url: str, writer: FindingsWriter) -> None:
    await writer.write_day(DAY, {"daily_title": [("m_one", 1, 1, 1, 0, 5.0)], "daily_failure": [("network", 1, 0)]})
    with pytest.raises(InputInvalid):
        await writer.write_day(DAY, {"daily_title": [("m_two", 1, 1, 1, 0, 5.0)], "daily_failure": [(None, 1, 0)]})
    with pytest.raises(InputInvalid):
        await writer.write_day(DAY, {"daily_title": [("m_two", 1, 1, 1, 0, 5.0)] * 2})
    assert _ask(url, "SELECT movie_id FROM daily_title") == [("m_one",)]
    assert _ask(url, "SELECT error_code FROM daily_failure") == [("network",)]


async def test_a_writer_that_dies_midway_leaves_the_old_day(url: str, writer: FindingsWriter) -> None:
    await writer.write_day(DAY, {"daily_failure": [("network", 1, 0)]})

    def dying() -> Iterator[Row]:
        yield ("media", 1, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await writer.write_day(DAY, {"daily_failure": dying()})
    assert _ask(url, "SELECT error_code FROM daily_failure") == [("network",)]


async def test_days_with_facts(writer: FindingsWriter) -> None:
    await writer.write_day(DAY, {"daily_search": [("leon", 3, 0, 1, 2, 3)]})
    assert await writer.days_with_facts(date(2026, 11, 1), DAY) == {DAY}
    assert await writer.days_with_facts(DAY, DAY) == {DAY}
    assert await writer.days_with_facts(date(2026, 12, 1), date(2026, 12, 9)) == frozenset()


async def _batch(writer: FindingsWriter, movie_id: str) -> int:
    return await writer.write_batch("popularity", THROUGH, {"popularity": [("", 1, movie_id, 2.0, 60.0)]})


async def test_one_batch_of_a_name_is_accepted_and_old_ones_go(url: str, writer: FindingsWriter) -> None:
    batches = [await _batch(writer, f"m_{number}") for number in range(4)]
    for batch_id in batches:
        accepted = await writer.judge(batch_id, accepted=True)
        assert (accepted.state, accepted.rows, accepted.name) == ("accepted", 1, "popularity")
    states = _ask(url, "SELECT batch_id, state FROM analytics_batch ORDER BY batch_id")
    assert states == [(batches[2], "superseded"), (batches[3], "accepted")]
    assert _ask(url, "SELECT movie_id FROM popularity ORDER BY 1") == [("m_2",), ("m_3",)], "rows go with their batch"


async def test_a_refused_batch_leaves_the_accepted_one(url: str, writer: FindingsWriter) -> None:
    kept = await _batch(writer, "m_kept")
    await writer.judge(kept, accepted=True)
    for number in range(4):
        refused = await writer.judge(await _batch(writer, f"m_{number}"), accepted=False, reason="half the volume")
        assert (refused.state, refused.reason) == ("refused", "half the volume")
    states = [state for _, state in _ask(url, "SELECT batch_id, state FROM analytics_batch ORDER BY batch_id")]
    assert states == ["accepted", "refused", "refused"]
    newest = await writer.latest("popularity")
    assert newest is not None
    assert newest.state == "refused"
    assert await writer.latest("similar") is None


async def test_a_judgement_twice_is_one_and_another_is_refused(writer: FindingsWriter) -> None:
    older, newer = await _batch(writer, "m_one"), await _batch(writer, "m_two")
    await writer.judge(newer, accepted=True)
    assert (await writer.judge(newer, accepted=True)).state == "accepted"
    with pytest.raises(BatchNotJudged, match="accepted already"):
        await writer.judge(newer, accepted=False)
    with pytest.raises(BatchNotJudged, match="older than"):
        await writer.judge(older, accepted=True)
    with pytest.raises(BatchNotJudged, match="no batch"):
        await writer.judge(newer + 100, accepted=True)


async def test_every_table_takes_its_columns(url: str, writer: FindingsWriter) -> None:
    await writer.write_day(
        DAY,
        {
            "daily_title": [("m_one", 1, 1, 1, 0, 5.0)],
            "daily_profile": [("p_one", 1, 5.0)],
            "daily_quality": [("all", "", 1, 1, 0, 0, 0, None, 1.5, None, 3000.0, 5.0, 0.0)],
            "daily_failure": [("network", 1, 0)],
            "daily_search": [("leon", 1, 0, 1, 1, 1)],
        },
    )
    await writer.write_batch("similar", THROUGH, {"similar_title": [("m_one", 1, "m_two", 0.5, "content")]})
    await writer.write_batch(
        "suggestions", THROUGH, {"suggestion": [("p", "m", 1, "n", 0.5)], "genre_taste": [("p", "Drama", 1.0)]}
    )
    await writer.write_batch("candidates", THROUGH, {"reencode_candidate": [(1, "m", 2.0, 10, 4, "h264 at 1080")]})
    for table in ("daily_quality", "daily_profile", "similar_title", "suggestion", "genre_taste", "reencode_candidate"):
        assert _ask(url, f"SELECT count(*) FROM {table}") == [(1,)], table
