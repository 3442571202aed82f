"""The files of an edge's log: read in pieces of whole lines, exactly once, however they were cut off; and the bound of memory."""

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.cdn.edge_log import files
from marquee.cdn.edge_log.files import ReadSoFar, has_ended, is_being_read, read_piece, reader_lock, segments
from marquee.cdn.edge_log.requests import event_of, read_request
from tests.harness.servers import make_test_settings

LINE = (
    b'{"id":"0123456789abcdef0123456789abcdef","ended_at":1796046787.018,"seconds":0.045,'
    b'"session_id":"v_00000000000000000001","movie_id":"m_00000000000000000001","version":"v3","object_kind":"video",'
    b'"height":1080,"status":206,"sent_bytes":1643,"cache":"HIT","kbps":4500,"duration_ms":6000,"buffer_ms":null,'
    b'"throughput_kbps":12000,"is_starved":true}'
)


def read_whole(segment: Path, *, ended: bool, max_lines: int = 3) -> tuple[list[bytes], int, int]:
    """All lines in pieces; the offset after the last; how many were damaged."""
    lines: list[bytes] = []
    offset = damaged = 0
    while (piece := read_piece(segment, offset, max_lines=max_lines, has_ended=ended)).end != offset:
        assert len(piece.lines) <= max_lines, "a piece has more lines than were asked for"
        assert piece.end - offset <= files.PIECE_BYTES, "a piece is larger than its bound"
        lines += piece.lines
        offset, damaged = piece.end, damaged + piece.damaged
    return lines, offset, damaged


lines_of_any_length = st.lists(st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line), max_size=12)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines_of_any_length, torn=st.binary(max_size=40).filter(lambda rest: b"\n" not in rest))
def test_every_line_is_read_once_and_a_torn_one_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes], torn: bytes
) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", 100)
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 80)
    segment = tmp_path / "179604678-7.jsonl"
    segment.write_bytes(b"".join(line + b"\n" for line in lines) + torn)
    found, offset, damaged = read_whole(segment, ended=False)
    assert (found, offset, damaged) == (lines, segment.stat().st_size - len(torn), 0), "a line without its end was read"
    found, offset, damaged = read_whole(segment, ended=True)
    assert (found, offset, damaged) == (lines, segment.stat().st_size, int(bool(torn)))


def test_a_line_without_end_takes_no_memory_and_the_next_is_found(tmp_path: Path) -> None:
    segment = tmp_path / "179604678-7.jsonl"
    segment.write_bytes(b"x" * (3 * files.PIECE_BYTES + 5) + b"\n" + LINE + b"\n")
    found, offset, damaged = read_whole(segment, ended=False)
    assert [each for each in found if read_request(each)] == [LINE]
    assert (offset, damaged > 0) == (segment.stat().st_size, True)


def test_a_file_has_ended_some_time_after_its_ten_seconds_and_its_last_line(tmp_path: Path) -> None:
    segment = tmp_path / "179604678-7.jsonl"
    segment.write_bytes(LINE)
    written = segment.stat().st_mtime
    assert not has_ended(segment, now=max(written, 1796046790.0) + files.WRITTEN_SECONDS - 1)
    assert has_ended(segment, now=max(written, 1796046790.0) + files.WRITTEN_SECONDS + 1)
    current = tmp_path / f"{int(time.time()) // 10}-7.jsonl"
    current.write_bytes(LINE)
    assert not has_ended(current, now=time.time())
    for other in ("read.json", "dropped.json", "179604678-7.jsonl.new", "x-7.jsonl"):
        (tmp_path / other).touch()
    assert segments(tmp_path) == sorted([segment, current])


def test_a_request_becomes_an_event() -> None:
    request = read_request(LINE)
    assert request is not None
    event = event_of(request, edge="http://edge")
    assert (event.kind, event.source, event.edge, event.event_id[:4]) == ("request", "edge", "http://edge", "e_01")
    assert (event.at_ms, event.received_at_ms, event.request_ms) == (1796046786973, 1796046787018, 45)
    assert (event.session_id, event.movie_id, event.version) == ("v_00000000000000000001", "m_00000000000000000001", 3)
    assert (event.object_kind, event.height, event.status, event.sent_bytes, event.cache) == (
        *("video", 1080, 206, 1643, "HIT"),
    )
    assert (event.kbps, event.duration_ms, event.buffer_ms, event.throughput_kbps, event.is_starved) == (
        *(4500, 6000, None, 12000, True),
    )
    endless = msgspec.structs.replace(request, duration_ms=2**60)
    assert event_of(endless, edge="x").duration_ms is None, "a player may state any duration in its address"
    assert event_of(request, edge="x") == msgspec.structs.replace(event, edge="x"), "one line has two identities"


@given(cut=st.integers(1, len(LINE) - 1), noise=st.binary(max_size=50))
def test_a_damaged_line_is_none_and_a_whole_one_after_a_torn_one_is_found(cut: int, noise: bytes) -> None:
    assert read_request(LINE[:cut]) is None
    assert read_request(noise) is None
    assert read_request(LINE[:cut] + LINE) == read_request(LINE)


def test_one_process_reads(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path)
    assert not is_being_read(settings)
    with reader_lock(settings) as first, reader_lock(settings) as second:
        assert (first, second, is_being_read(settings)) == (True, False, True)
    assert not is_being_read(settings)


@pytest.mark.parametrize("content", [b"", b"{", b'{"offsets":{"a":"b"}}', b"\xff"])
def test_a_place_that_a_power_cut_left_incomplete_is_the_beginning(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "read.json").write_bytes(content)
    assert files.load_so_far(tmp_path) == ReadSoFar()
    files.save_so_far(tmp_path, ReadSoFar({"a": 5}))
    assert files.load_so_far(tmp_path).offsets == {"a": 5}
