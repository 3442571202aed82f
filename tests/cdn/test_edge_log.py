"""What players request at an edge becomes viewing events: with their CMCD fields, hostile ones too, and through every kill."""

import asyncio
import contextlib
import json
import os
import string
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.cdn.edge_log.files import load_so_far
from marquee.cdn.edge_log.requests import read_request
from marquee.cdn.edge_log.shipping import ship_all
from marquee.domain.ids import new_playback_id
from marquee.platform.programs import edges
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from tests.harness.edge_logs import MOVIE, SECONDS, Arrivals, logged, played, settings_of, shipping, started, until
from tests.harness.recording_origin import RecordingOrigin
from tests.harness.servers import running

SEGMENT = "video/1080p/seg_00001.m4s"


@pytest.fixture(scope="module")
def origin() -> Iterator[RecordingOrigin]:
    with RecordingOrigin() as recording:
        yield recording


@pytest.fixture(scope="module")
def edge_settings(
    origin: RecordingOrigin, valkey_log_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("a folder with spaces")
    settings = settings_of(folder, origin, event_log_url=valkey_log_url)
    with running(edges.edge(settings, 1), folder):
        yield settings


@pytest.fixture
def edge(edge_settings: Settings, origin: RecordingOrigin) -> Iterator[httpx.Client]:
    origin.heard.clear()
    with httpx.Client(base_url=edge_settings.edges[0]) as client:
        yield client


@pytest.fixture
async def player(edge_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=edge_settings.edges[0]) as client:
        yield client


@pytest.fixture
async def event_log(valkey_log_url: str) -> AsyncIterator[EventLog]:
    log = open_event_log(valkey_log_url)
    yield log
    await log.close()


async def test_a_players_requests_arrive_with_their_cmcd_fields(
    edge_settings: Settings, player: httpx.AsyncClient, event_log: EventLog
) -> None:
    session = new_playback_id()
    path = played(edge_settings, session)
    query = quote('bl=21300,br=4500,bs,cid="a \\"film,mtp=1",d=6000,mtp=25400,ot=v,sid="x"', safe="")
    await player.get(path + "master.m3u8")
    await player.get(f"{path}{SEGMENT}?CMCD={query}", headers={"Range": "bytes=0-9"})
    version_1 = {
        "CMCD-Object": "br=128,d=5990,ot=a",
        "CMCD-Request": "bl=900",
        "CMCD-Status": "bs",
        "CMCD-Session": 'sid="x"',
    }
    await player.get(path + "audio/en/seg_00001.m4s", headers=version_1)
    version_2 = quote("v=2,bl=(3000;v 2000;a),br=(2500;v),mtp=(007)")
    await player.get(f"{path}video/540p/init.mp4?CMCD={version_2}")
    await player.get(path + "text/en/captions.vtt")
    await player.get(played(edge_settings, session, seconds=-10) + "master.m3u8")
    arrivals = Arrivals(event_log, {session})
    with shipping(edge_settings):
        await until(lambda: len(arrivals.events) >= 6, arrivals, "the requests did not arrive")
    events = sorted(arrivals.events, key=lambda event: event.received_at_ms)
    assert [event.object_kind for event in events] == ["manifest", "video", "audio", "init", "text", "manifest"]
    assert [event.status for event in events] == [200, 206, 200, 200, 200, 403]
    assert [event.cache for event in events[:2]] == ["MISS", "MISS"]
    for event in events:
        assert (event.kind, event.source, event.edge) == ("request", "edge", edge_settings.edges[0])
        assert (event.movie_id, event.version, event.profile_id) == (MOVIE, 3, None)
        assert event.sent_bytes
        assert event.request_ms is not None
        assert abs(event.at_ms / 1000 - time.time()) < 3600
    first, second, third, fourth, *_ = events
    assert (first.kbps, first.buffer_ms, first.is_starved) == (None, None, None)
    fields = [(each.kbps, each.duration_ms, each.buffer_ms, each.throughput_kbps) for each in (second, third, fourth)]
    assert fields == [(4500, 6000, 21300, 25400), (128, 5990, 900, None), (2500, None, 3000, 7)]
    assert [each.is_starved for each in (second, third, fourth)] == [True, True, None]
    assert [each.height for each in (second, third, fourth)] == [1080, None, 540]


def test_only_a_signed_sessions_requests_are_logged_and_nothing_of_the_viewer(
    edge_settings: Settings, edge: httpx.Client, origin: RecordingOrigin
) -> None:
    session, forged = new_playback_id(), new_playback_id()
    path = played(edge_settings, session)
    edge.get(f"/images/{MOVIE}/v3/poster.jpg")
    edge.get(played(edge_settings, None) + "master.m3u8")
    edge.get(path.replace(session, forged) + "master.m3u8")
    edge.options(path + "master.m3u8")
    edge.get("/")
    headers = {"User-Agent": "a-viewers-browser", "Referer": "https://a.site/", "X-Forwarded-For": "203.0.113.7"}
    edge.get(f"{path}audio/en/private-name.m4s?CMCD=nor%3D%22secret%22%2Cbl%3D5&token=t0ken", headers=headers)
    edge.post(path + "master.m3u8")
    deadline = time.monotonic() + SECONDS

    def mine() -> list[bytes]:
        names = (session, forged, '"session_id":""')
        return [line for line in logged(edge_settings) if any(name.encode() in line for name in names)]

    while not mine():
        assert time.monotonic() < deadline, "the session's request was not logged"
    [line] = mine()
    request = read_request(line)
    assert request is not None
    assert (request.session_id, request.buffer_ms) == (session, 5)
    for told in (
        "127.0.0.1",
        path.split("/")[2],
        "viewers-browser",
        "a.site",
        "203.0.113.7",
        "secret",
        "t0ken",
        "private",
    ):
        assert told.encode() not in line, f"the log holds {told}"
    assert not [each for each in origin.heard if "?" in each.path or "cmcd" in str(each.headers).lower()]


anything = st.text(st.characters(codec="utf-8"), max_size=60)
like_cmcd = st.lists(
    st.sampled_from(["br", "bl", "mtp", "d", "bs", "sid"]).flatmap(
        lambda key: st.sampled_from(
            [
                "",
                "=",
                "=1e5",
                "=-1",
                "=99999999999",
                "=007",
                "=0",
                "=(1;v 2)",
                '="',
                '="x,br=1"',
                "=\\",
                "=3.5",
                "=?1",
                "\n",
            ]
        ).map(lambda value: key + value)
    ),
    max_size=6,
).map(",".join)
raw = st.text(string.ascii_letters + string.digits + "%=,()\"'\\{}[]:;?&.", max_size=80)


@hypothesis_settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.one_of(anything.map(quote), like_cmcd.map(quote), raw), header=st.one_of(raw, like_cmcd))
def test_no_players_data_break_a_line(edge_settings: Settings, edge: httpx.Client, query: str, header: str) -> None:
    session = new_playback_id()
    with contextlib.suppress(httpx.InvalidURL, httpx.LocalProtocolError):
        edge.get(f"{played(edge_settings, session)}{SEGMENT}?CMCD={query}", headers={"CMCD-Status": header.strip()})
    lines = logged(edge_settings)
    for line in lines[-3:]:
        assert read_request(line) is not None, f"the line cannot be read: {line!r}"
        json.loads(line)
    mine = [line for line in lines if session.encode() in line]
    assert len(mine) <= 1, "one request has several lines"
    assert all(len(line) < 1024 for line in lines[-3:])


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("br=5,bl=6", (5, 6)),
        ('sid="x,br=5,bl=6"', (None, None)),
        ('sid="x,br=5,bl=6', (None, None)),  # a string without its end
        ('sid="\\"",br=5,sid="bl=1",bl=6', (5, 6)),
        ("br=99999999999,bl=1e5", (None, None)),
        ("xbr=5, bl=(6 7)", (None, 6)),
        ("br=000000000000000,bl=0000000000000000007", (0, 7)),
        ("br=-5,bl=6.5", (None, 6)),
        ("br=5," + "x" * 3000, (None, None)),  # longer than any player's
    ],
)
def test_numbers_are_read_as_a_player_sends_them(
    edge_settings: Settings, edge: httpx.Client, sent: str, read: tuple[int | None, int | None]
) -> None:
    """In the query, encoded wholly or as a browser does it, in the headers, and in a request that is refused."""
    session = new_playback_id()
    path = played(edge_settings, session) + SEGMENT
    edge.get(f"{path}?CMCD={quote(sent, safe='')}")
    edge.get(f"{path}?CMCD={sent}")
    edge.get(
        f"{played(edge_settings, session, seconds=-10)}{SEGMENT}?CMCD={sent}"
    )  # refused: nginx changes the address
    edge.get(path, headers={"CMCD-Session": sent, "CMCD-Object": sent})
    deadline = time.monotonic() + SECONDS
    while len(mine := [line for line in logged(edge_settings) if session.encode() in line]) < 4:
        assert time.monotonic() < deadline, "the requests were not logged"
    requests = [request for line in mine if (request := read_request(line))]
    assert [(request.kbps, request.buffer_ms) for request in requests] == [read] * 4


@pytest.mark.parametrize("size", [1000, 7000, 60_000])
def test_a_long_query_makes_no_long_line(edge_settings: Settings, edge: httpx.Client, size: int) -> None:
    session = new_playback_id()
    path = played(edge_settings, session)
    answer = edge.get(f"{path}{SEGMENT}?CMCD=bl%3D5%2Csid%3D%22{'x' * size}")
    assert answer.status_code == (414 if size > 8000 else 200)
    edge.get(path + SEGMENT)
    deadline = time.monotonic() + SECONDS
    while not (mine := [line for line in logged(edge_settings) if session.encode() in line]):
        assert time.monotonic() < deadline, "the request after it was not logged"
    assert all(read_request(line) and len(line) < 1024 for line in mine)


def test_an_edge_without_a_log_has_no_file(tmp_path: Path, origin: RecordingOrigin) -> None:
    settings = settings_of(tmp_path, origin, edge_log_share=0)
    with running(edges.edge(settings, 1), tmp_path), httpx.Client(base_url=settings.edges[0]) as client:
        assert client.get(played(settings, new_playback_id()) + SEGMENT).status_code == 200
    assert not (tmp_path / "edge-logs").exists()


def old_file(folder: Path, number: int, content: bytes) -> Path:
    """A file of an edge that ended long ago."""
    path = folder / f"{100_000_000 + number}-7.jsonl"
    path.write_bytes(content)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


async def test_past_its_bound_the_oldest_lines_are_dropped_and_counted(
    tmp_path: Path, origin: RecordingOrigin, valkey_log_url: str, event_log: EventLog
) -> None:
    settings = settings_of(tmp_path, origin, edge_log_bytes=1024**2, event_log_url=valkey_log_url)
    folder = tmp_path / "edge-logs" / "edge-1"
    folder.mkdir(parents=True)
    made = [old_file(folder, number, (b"x" * 399 + b"\n") * 1000) for number in range(5)]
    async with contextlib.AsyncExitStack() as stack:
        await started(stack, edges.edge(settings, 1), tmp_path)
        deadline = time.monotonic() + SECONDS
        while not (folder / "dropped.json").exists():
            assert time.monotonic() < deadline, "the edge keeps more than its bound"
            await asyncio.sleep(0.05)
    assert [path.exists() for path in made] == [False, False, False, True, True], "not the oldest were dropped"
    assert json.loads((folder / "dropped.json").read_text()) == {"files": 3, "bytes": 1_200_000}
    assert "dropped 3 files, 1200000 bytes" in (tmp_path / "edge-1.log").read_text()
    await ship_all(settings, event_log, lambda _: True)
    assert load_so_far(folder).dropped.bytes == 1_200_000
    assert not any(path.exists() for path in made), "a file that was read is still there"


async def test_a_share_of_the_sessions_is_kept_and_a_damaged_line_is_counted(
    edge_settings: Settings, player: httpx.AsyncClient, event_log: EventLog, tmp_path: Path
) -> None:
    kept, left_out = new_playback_id(), new_playback_id()
    for session in (kept, left_out):
        await player.get(played(edge_settings, session) + SEGMENT)
    deadline = time.monotonic() + SECONDS
    while (
        len(mine := [line for line in logged(edge_settings) if kept.encode() in line or left_out.encode() in line]) < 2
    ):
        assert time.monotonic() < deadline, "the requests were not logged"
    settings = edge_settings.model_copy(update={"state": tmp_path})
    folder = tmp_path / "edge-logs" / "edge-2"
    folder.mkdir(parents=True)
    old_file(folder, 1, b"\n".join([b'{"id":', *mine, b"\xff\x00", b'{"id":"torn']))
    assert await ship_all(settings, event_log, lambda session: session == kept) == 1
    arrivals = Arrivals(event_log, {kept, left_out})
    assert [(event.session_id, event.edge) for event in await arrivals.look()] == [(kept, settings.edges[1])]
    assert load_so_far(folder).damaged_lines == 3
    assert await ship_all(settings, event_log, lambda _: True) == 0, "a line was published again"
