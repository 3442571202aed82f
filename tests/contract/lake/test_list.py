"""The list of live files: every change is whole, may be repeated, and excludes the change that it would undo."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from marquee.errors import InputInvalid
from marquee.stores.lake.contract import EVENTS, Lake, NewFile
from marquee.stores.lake.errors import ErasuresChanged, LakeFileRetired, SinkOvertaken
from marquee.stores.lake.paths import new_path
from tests.harness.lake.events import HOUR, batch
from tests.harness.lake.lakes import live_rows

TOPIC = "viewing-events"
DAY = HOUR.replace(hour=0)


def new_file(*, rows: int = 1, hours: int = 0) -> NewFile:
    hour = HOUR + timedelta(hours=hours)
    return NewFile(new_path(EVENTS, hour), EVENTS, hour, rows, 10)


def paths(files: Sequence[NewFile]) -> list[str]:
    return sorted(file.path for file in files)


def local_file(folder: Path, name: str, rows: int, first: int = 0) -> Path:
    pq.write_table(batch(rows, first=first), folder / name)
    return folder / name


async def test_files_and_position_change_together(lake: Lake) -> None:
    assert await lake.position(TOPIC) is None
    position = await lake.take_over(TOPIC)
    assert (position.cursor, position.generation) == (None, 1)
    files = [new_file(), new_file(hours=1)]
    await lake.append(files, TOPIC, position, "1-0", erased=0)
    assert paths(await lake.live_files(EVENTS)) == paths(files)
    found = await lake.position(TOPIC)
    assert found is not None
    assert (found.cursor, found.generation) == ("1-0", 1)
    assert paths(await lake.live_files(EVENTS, HOUR, HOUR + timedelta(hours=1))) == [files[0].path]
    assert await lake.live_files("sessions") == []


async def test_a_commit_whose_answer_was_lost_may_be_repeated(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    files = [new_file()]
    for _ in range(3):
        await lake.append(files, TOPIC, position, "1-0", erased=0)
    assert paths(await lake.live_files(EVENTS)) == paths(files)


async def test_a_sink_that_was_overtaken_changes_nothing(lake: Lake) -> None:
    old = await lake.take_over(TOPIC)
    new = await lake.take_over(TOPIC)
    assert new.generation == old.generation + 1
    with pytest.raises(SinkOvertaken):
        await lake.append([new_file()], TOPIC, old, "1-0", erased=0)
    with pytest.raises(SinkOvertaken):
        await lake.renew(TOPIC, old.generation)
    await lake.renew(TOPIC, new.generation)
    assert await lake.live_files(EVENTS) == []
    await lake.append([], TOPIC, new, "1-0", erased=0)
    with pytest.raises(SinkOvertaken):
        await lake.append([new_file()], TOPIC, new, "2-0", erased=0)  # from a position that has moved on


async def test_of_many_commits_at_once_from_one_position_one_happens(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    files = [new_file() for _ in range(6)]
    done = await asyncio.gather(
        *(lake.append([each], TOPIC, position, f"{n}-1", erased=0) for n, each in enumerate(files)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["NoneType", *["SinkOvertaken"] * 5]
    assert len(await lake.live_files(EVENTS)) == 1


async def test_a_rewrite_happens_whole_or_not_at_all(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    first, second, third = [new_file() for _ in range(3)]
    await lake.append([first, second, third], TOPIC, position, "1-0", erased=0)
    merged, other = new_file(rows=2), new_file(rows=2)
    for _ in range(2):
        await lake.rewrite([first.path, second.path], [merged])
    with pytest.raises(LakeFileRetired):
        await lake.rewrite([second.path, third.path], [other])
    assert paths(await lake.live_files(EVENTS)) == paths([merged, third])
    with pytest.raises(LakeFileRetired):
        await lake.rewrite(["events/no/such.parquet"], [other])


async def test_of_many_rewrites_at_once_of_overlapping_files_none_doubles_a_row(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    files = [new_file() for _ in range(5)]
    await lake.append(files, TOPIC, position, "1-0", erased=0)
    ring = [(files[n], files[(n + 1) % 5]) for n in range(5)]
    await asyncio.gather(
        *(lake.rewrite([each.path for each in pair], [new_file(rows=2)]) for pair in ring), return_exceptions=True
    )
    assert sum(file.rows for file in await lake.live_files(EVENTS)) == 5


async def test_a_partition_is_replaced_whole(lake: Lake, tmp_path: Path) -> None:
    one, two = local_file(tmp_path, "one", 3), local_file(tmp_path, "two", 4, first=3)
    await lake.replace("sessions", DAY, [one, two])
    await lake.replace("sessions", DAY + timedelta(days=1), [one])
    assert sorted(row["event_id"] for row in await live_rows(lake, tmp_path, "sessions")) == sorted(
        [f"e_{n}" for n in range(7)] + [f"e_{n}" for n in range(3)]
    )
    for _ in range(2):
        await lake.replace("sessions", DAY, [two])
    assert [file.rows for file in await lake.live_files("sessions")] == [4, 3]
    await lake.replace("sessions", DAY, [])
    assert [file.rows for file in await lake.live_files("sessions")] == [3]
    with pytest.raises(InputInvalid, match="sink"):
        await lake.replace(EVENTS, DAY, [one])


async def test_of_many_replacements_at_once_the_last_one_stays_alone(lake: Lake, tmp_path: Path) -> None:
    one = local_file(tmp_path, "one", 3)
    await asyncio.gather(*(lake.replace("sessions", DAY, [one]) for _ in range(6)))
    assert [file.rows for file in await lake.live_files("sessions")] == [3]


async def test_a_retired_file_stays_until_its_time_and_is_then_forgotten(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    old, young = new_file(hours=-24 * 400), new_file()
    await lake.append([old, young], TOPIC, position, "1-0", erased=0)
    assert await lake.retire_older(HOUR - timedelta(days=1)) == 1
    assert paths(await lake.live_files(EVENTS)) == [young.path]
    assert await lake.retired_files(older_than_seconds=3600, limit=10) == []
    assert await lake.retired_files(older_than_seconds=0, limit=10) == [old.path]
    assert await lake.unlisted([old.path, young.path, "events/other"]) == ["events/other"]
    await lake.forget([old.path, young.path])
    assert await lake.unlisted([old.path, young.path]) == [old.path], "a live file was forgotten"


async def test_no_batch_misses_an_erasure_that_was_asked_for_before_its_commit(lake: Lake) -> None:
    position = await lake.take_over(TOPIC)
    known = await lake.erased()
    for _ in range(2):
        await lake.ask_erasure("p_9")
    with pytest.raises(ErasuresChanged):
        await lake.append([new_file()], TOPIC, position, "1-0", erased=known.number)
    assert await lake.live_files(EVENTS) == []
    known = await lake.erased()
    assert known.profile_ids == {"p_9"}
    await lake.append([new_file()], TOPIC, position, "1-0", erased=known.number)
    [erasure] = await lake.erasures()
    assert (erasure.profile_id, erasure.scanned_at) == ("p_9", None)
    assert await lake.forget_erasures(erasure.asked_at + timedelta(days=1)) == 0, "it is not finished"
    await lake.erased_through(["p_9"], erasure.asked_at)
    assert (await lake.erasures())[0].scanned_at == erasure.asked_at
    assert await lake.forget_erasures(erasure.asked_at) == 0
    assert await lake.forget_erasures(erasure.asked_at + timedelta(days=1)) == 1
    assert await lake.delete_findings(["p_9"]) == 0


async def test_a_turn_is_one_processs_until_it_ends(lake: Lake) -> None:
    turn = await lake.take_turn("t")
    assert turn is not None
    assert await lake.take_turn("t") is None
    other = await lake.take_turn("u")
    assert other is not None
    await turn.end()
    async with asyncio.timeout(30):
        while (again := await lake.take_turn("t")) is None:  # noqa: ASYNC110  (the server notices a moment later)
            await asyncio.sleep(0.02)
    await asyncio.gather(again.end(), other.end())
