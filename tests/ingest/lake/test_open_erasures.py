"""An erasure stays open until every file that may have its rows was searched, and no file is searched without need."""

import errno
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from marquee.domain.ids import new_profile_id
from marquee.errors import StoreUnavailable
from marquee.ingest.lake import rewriting
from marquee.ingest.lake.erasure import Erased, Rounds, erase_asked
from marquee.settings import Settings
from marquee.stores.lake.contract import EVENTS, Lake
from tests.harness.lake.events import HOUR, batch
from tests.ingest.lake.test_keeping import Writer

OLD: Final = "p_" + "0" * 20
"""The id of a profile that was made in 1970."""


async def _delete_profile(lake: Lake, where: Settings, profile_id: str) -> None:
    await lake.ask_erasure(profile_id)
    with psycopg.connect(where.database) as connection:
        connection.execute("UPDATE lake_erasure SET deleted_at = now() WHERE profile_id = %s", [profile_id])


async def _damage_a_file_of_last_year(lake: Lake, where: Settings) -> str:
    await Writer(lake).write([batch(3, profile_id=OLD)])
    [file] = await lake.live_files(EVENTS)
    Path(file.uri).write_bytes(b"damaged")
    with psycopg.connect(where.database) as connection:
        connection.execute("UPDATE lake_file SET created_at = now() - interval '1 year'")
    return file.path


async def _open(lake: Lake) -> set[str]:
    return {each.profile_id for each in await lake.erasures() if each.waits_for_lake}


async def test_files_that_are_older_than_a_deleted_profile_are_not_searched(lake: Lake, where: Settings) -> None:
    path = await _damage_a_file_of_last_year(lake, where)
    new = new_profile_id()
    await Writer(lake).write([batch(2, first=10, profile_id=new)], hour=HOUR - timedelta(days=900))
    await _delete_profile(lake, where, new)
    assert await erase_asked(lake, where.state) == Erased(2), "any viewer can have the whole lake searched"
    assert await _open(lake) == set()
    await _delete_profile(lake, where, OLD)
    assert (await erase_asked(lake, where.state)).unreadable == (path,), "a file that may name the profile was left out"
    assert await _open(lake) == {OLD}


async def test_an_operators_erasure_searches_all_files_whatever_the_id_says(lake: Lake, where: Settings) -> None:
    path = await _damage_a_file_of_last_year(lake, where)
    await lake.ask_erasure("p_" + "v" * 20)
    assert (await erase_asked(lake, where.state)).unreadable == (path,)


async def test_a_damaged_file_is_tried_again_later_and_holds_up_no_other_profile(lake: Lake, where: Settings) -> None:
    path = await _damage_a_file_of_last_year(lake, where)
    await _delete_profile(lake, where, OLD)
    patient, eager = (Rounds(lake, where.state, recheck_seconds=seconds) for seconds in (3600, 0))
    assert (await patient.round()).unreadable == (path,)
    assert (await patient.round()).unreadable == (), "the whole lake is searched at each round"
    await _delete_profile(lake, where, new_profile_id())
    await patient.round()
    assert await _open(lake) == {OLD}
    for _ in range(2):
        assert (await eager.round()).unreadable == (path,), "a file that is restored would never be searched"


async def test_a_host_that_cannot_read_now_leaves_the_erasure_open(
    lake: Lake, where: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Writer(lake).write([batch(3, profile_id=OLD)])
    await lake.ask_erasure(OLD)

    def failing(number: int) -> Callable[[Path, frozenset[str]], bool]:
        def fail(path: Path, profile_ids: frozenset[str]) -> bool:
            raise OSError(number, "no luck")

        return fail

    with monkeypatch.context() as patched:
        for number in (errno.EMFILE, errno.ESTALE, errno.ENOMEM):
            patched.setattr(rewriting, "_has_any", failing(number))
            with pytest.raises(StoreUnavailable):
                await erase_asked(lake, where.state)
        patched.setattr(rewriting, "_has_any", failing(errno.EIO))  # of one file: the others are searched
        assert (await erase_asked(lake, where.state)).unreadable
    assert await _open(lake) == {OLD}
    assert await erase_asked(lake, where.state) == Erased(3)
    assert await _open(lake) == set()


async def test_the_first_hour_is_that_of_the_list(lake: Lake) -> None:
    assert await lake.first_hour(EVENTS) is None
    writer = Writer(lake)
    for hours in (5, 2, 9):
        await writer.write([batch(1, first=hours)], hour=HOUR + timedelta(hours=hours))
    for since in (
        None,
        HOUR,
        HOUR + timedelta(hours=2),
        HOUR + timedelta(hours=6),
        datetime.now(UTC).replace(year=2999),
    ):
        files = await lake.live_files(EVENTS, since)
        assert await lake.first_hour(EVENTS, since) == (files[0].hour if files else None)
    assert await lake.first_hour("sessions") is None
