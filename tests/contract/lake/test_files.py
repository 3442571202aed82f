"""The lake's files: whole or missing, whatever their size; listed with what a kill left; deleted twice without harm."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from marquee.errors import ObjectMissing
from marquee.stores.lake.contract import EVENTS, Lake
from marquee.stores.lake.paths import new_path
from tests.harness.lake.events import HOUR, batch


@pytest.mark.parametrize("size", [0, 1, 20 * 1024**2 + 3])
async def test_a_file_comes_back_as_it_was_put(lake: Lake, tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    path, copied = new_path(EVENTS, HOUR), new_path(EVENTS, HOUR)
    local = tmp_path / "local"
    local.write_bytes(body)
    await lake.files.put(path, memoryview(body))
    await lake.files.put_file(copied, local)
    for stored in (path, copied):
        await lake.files.get_file(stored, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == body
    assert sorted([(file.path, file.size_bytes) async for file in lake.files.list()]) == sorted(
        [(path, size), (copied, size)]
    )


async def test_a_missing_file_is_named_and_may_be_deleted(lake: Lake, tmp_path: Path) -> None:
    path = new_path(EVENTS, HOUR)
    await lake.files.put(path, memoryview(b"body"))
    for _ in range(2):
        await lake.files.delete([path, "no/such/file.parquet"])
    with pytest.raises(ObjectMissing, match=path):
        await lake.files.get_file(path, tmp_path / "file")
    assert [file async for file in lake.files.list()] == []
    await lake.files.put(path, memoryview(b"again"))
    assert [file.path async for file in lake.files.list()] == [path]


async def test_the_address_of_a_live_file_is_one_that_a_reader_opens(lake: Lake, tmp_path: Path) -> None:
    pq.write_table(batch(3), tmp_path / "local.parquet")
    await lake.replace("sessions", HOUR, [tmp_path / "local.parquet"])
    [file] = await lake.live_files("sessions")
    assert (file.rows, file.hour, file.path.split("/")[0]) == (3, HOUR, "sessions")
    if file.uri.startswith("s3://"):
        assert file.uri.endswith(file.path)
        assert file.spark_uri == "s3a" + file.uri.removeprefix("s3")
    else:
        assert pq.read_table(file.uri).num_rows == 3
        assert file.spark_uri == file.uri


def test_no_two_files_have_one_path() -> None:
    paths = {new_path(EVENTS, HOUR) for _ in range(1000)}
    assert len(paths) == 1000
    assert all(path.startswith("events/date=2026-11-30/hour=13/") for path in paths)
    assert new_path("sessions", HOUR).startswith("sessions/date=2026-11-30/1"), "a derived dataset is by day"
