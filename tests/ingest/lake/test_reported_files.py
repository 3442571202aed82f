"""Live files that a disk, a person or another program has spoilt: the sink goes on, and whoever asks is told which they are."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marquee.ingest.lake.compaction import compact
from marquee.ingest.lake.erasure import erase_asked
from marquee.settings import Settings
from marquee.stores.lake.contract import EVENTS, Lake
from tests.harness.lake.events import HOUR, batch
from tests.ingest.lake.test_keeping import Writer

GONE: Final = "p_gone"


@pytest.fixture
def writer(lake: Lake) -> Writer:
    return Writer(lake)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def _damaged_inside(file: Path) -> None:
    """The file's end is whole, so its columns are found; their pages cannot be unpacked."""
    body = bytearray(file.read_bytes())
    body[4 : len(body) // 2] = b"\xff" * (len(body) // 2 - 4)
    file.write_bytes(body)


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _missing(file: Path) -> None:
    file.unlink()


def _of_another_kind(file: Path) -> None:
    pq.write_table(pa.table({"profile_id": [{"a": 1}], "event_id": [[1, 2]]}), file)


SPOILT: Final = (_empty, _truncated, _damaged_inside, _a_folder, _missing, _of_another_kind)


@pytest.mark.parametrize("spoil", SPOILT)
async def test_a_spoilt_file_stops_neither_sink_nor_erasure_and_is_named(
    lake: Lake, where: Settings, writer: Writer, spoil: Callable[[Path], None]
) -> None:
    await writer.write([batch(3, profile_id=GONE), batch(3, first=3)])
    spoilt = (await lake.live_files(EVENTS))[0]
    await writer.write(
        [batch(4, first=10, profile_id=GONE), batch(4, first=20, profile_id="p_stays")], hour=HOUR + timedelta(hours=1)
    )
    await asyncio.to_thread(spoil, Path(spoilt.uri))
    assert await compact(lake, where.state, quiet_seconds=0) == 2, "the other hour was not compacted"
    await lake.ask_erasure(GONE)
    erased = await erase_asked(lake, where.state)
    assert spoilt.path in erased.unreadable, f"{spoil.__name__}: nobody is told of {spoilt.path}"
    assert erased.rows >= 4
    assert (await lake.erasures())[0].waits_for_lake, "an erasure counts as done, and a file was not searched"
