"""CMCD version 2 reports as players send them: hls.js's own bytes, its headers, its retries; and hostile bodies."""

import asyncio

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.api.telemetry import Playback, begun_earlier, problem_of, told

Client = AsyncTestClient[Litestar]
TYPE = {"Content-Type": "application/cmcd"}
SID = "5f2b8a0e-6f6c-4f4e-9d6b-7f0a1f2d3c4b"
TS = 1_764_509_000_000
HLS_JS = f"""\
cid="m",e=ps,sf=h,sid="{SID}",sn=0,sta=s,ts={TS},v=2
br=(2415),cid="m",e=bc,ot=v,sf=h,sid="{SID}",sn=1,sta=s,ts={TS + 300},v=2
bl=(1900),br=(2415),cid="m",e=ps,mtp=(23400),sf=h,sid="{SID}",sn=2,st=v,sta=p,ts={TS + 800},v=2
bl=(12400),br=(2415),cid="m",e=t,mtp=(23400),sf=h,sid="{SID}",sn=3,st=v,sta=p,ts={TS + 10_800},v=2
bl=(9400),br=(2415),cid="m",e=rr,ot=v,rc=404,sf=h,sid="{SID}",sn=4,st=v,sta=p,ts={TS + 9000},ttfb=19,ttlb=90,url="https://e/x.m4s",v=2
bl=(0),br=(2415),cid="m",e=ps,mtp=(900),sf=h,sid="{SID}",sn=5,st=v,sta=r,ts={TS + 20_800},v=2
bl=(3000),br=(2415),cid="m",e=ps,mtp=(900),sf=h,sid="{SID}",sn=6,st=v,sta=p,ts={TS + 22_000},v=2
bl=(3000),br=(2415),cid="m",e=ps,mtp=(900),sf=h,sid="{SID}",sn=7,st=v,sta=f,ts={TS + 30_000},v=2
bl=(3000),br=(2415),cid="m",e=e,ec=("fragLoadError"),mtp=(900),sf=h,sid="{SID}",sn=8,st=v,sta=f,ts={TS + 30_000},v=2
"""
"""What hls.js 1.7.4 wrote for these events (`cmcd.eventTargets`), with the session's id and times put in."""


@pytest.fixture
def playback(api_settings: Settings) -> Playback:
    return begun_earlier(api_settings)


async def _post(client: Client, playback: Playback, text: str) -> None:
    answer = await client.post(playback.path, content=text.encode(), headers=TYPE)
    assert answer.status_code == 204, answer.text


KINDS = [
    *("attempt", "rendition", "first_frame", "request", "heartbeat", "heartbeat", "stall_begin", "stall_end"),
    *("heartbeat", "error", "error"),
]


async def test_a_whole_report_is_the_sessions_events(client: Client, stores: Stores, playback: Playback) -> None:
    await _post(client, playback, HLS_JS)
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events] == KINDS, "in the order of their times"
    assert {(event.source, event.player, event.movie_id) for event in events} == {
        ("cmcd", "cmcd-hls", playback.movie_id)
    }
    by_kind = {event.kind: event for event in events}
    assert by_kind["first_frame"].duration_ms == 800
    assert by_kind["rendition"].kbps == 2415
    assert by_kind["stall_end"].duration_ms == 1200
    assert (by_kind["stall_begin"].throughput_kbps, by_kind["stall_begin"].buffer_ms) == (900, 0)
    assert (by_kind["request"].status, by_kind["request"].object_kind) == (404, "video")
    assert min((e for e in events if e.kind == "error"), key=lambda e: e.at_ms).error_code == "fragLoadError"
    assert (by_kind["error"].error_code, by_kind["error"].is_fatal) == ("fragLoadError", True)
    assert sum(event.watched_ms or 0 for event in events) == 20_000 + 8_000


async def test_lines_that_come_one_by_one_and_together_tell_the_same(
    client: Client, stores: Stores, playback: Playback, api_settings: Settings
) -> None:
    alone = begun_earlier(api_settings)
    await _post(client, playback, HLS_JS)
    for line in HLS_JS.splitlines():
        await _post(client, alone, f"{line}\n")
    for other in (playback, alone):
        kinds = [event.kind for event in await told(stores.event_log, other.session_id)]
        assert sorted(kinds) == sorted(KINDS)


async def test_reports_at_once_keep_their_order(client: Client, stores: Stores, playback: Playback) -> None:
    first, *rest = HLS_JS.splitlines()
    await _post(client, playback, first)
    await asyncio.gather(*(_post(client, playback, line) for line in rest))
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events].count("first_frame") == 1, "two reports began at one state"


async def test_a_report_that_is_sent_again_is_the_same_events(
    client: Client, stores: Stores, playback: Playback
) -> None:
    await _post(client, playback, HLS_JS)
    before = {event.event_id for event in await told(stores.event_log, playback.session_id)}
    await _post(client, playback, HLS_JS)
    await _post(client, playback, HLS_JS.splitlines()[0])
    assert {event.event_id for event in await told(stores.event_log, playback.session_id)} == before


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {}, {"Content-Type": "application/cmcd; v=2"}])
async def test_a_report_is_known_by_its_text_where_its_type_says_nothing(
    client: Client, stores: Stores, playback: Playback, headers: dict[str, str]
) -> None:
    answer = await client.post(playback.path, content=HLS_JS.encode(), headers=headers)
    assert answer.status_code == 204, answer.text
    assert await told(stores.event_log, playback.session_id)


async def test_unknown_keys_events_and_values_are_no_fault(client: Client, stores: Stores, playback: Playback) -> None:
    lines = (
        f'com.example-mood="good",e=ps,sta=s,ts={TS},v=2,new=(1 2),zz',
        f"e=xx,sta=zz,ts={TS},v=3",
        f'br=("high"),bl=?0,e=ps,mtp=(-5),pt=99999999999,sta=p,ts={TS + 500},msd="x",v=2',
        f"e=ps,sta=p,ts={TS + 900},br=4200,v=2",
    )
    await _post(client, playback, "\r\n".join(lines))
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events] == ["attempt", "first_frame"]
    assert (events[1].kbps, events[1].position_seconds, events[1].duration_ms) == (None, None, 500)


async def test_a_report_of_which_nothing_is_an_event_is_taken(
    client: Client, stores: Stores, playback: Playback
) -> None:
    await _post(client, playback, f"e=m,ts={TS},v=2")
    assert not await told(stores.event_log, playback.session_id)


HOSTILE = {
    "nothing": b" \n ",
    "no structured field": b"a=b=c",
    "a trailing comma": b"e=t,",
    "no event": b'sid="x",v=2',
    "an event of text": b'e="t"',
    "too many lines": b"e=t\n" * 201,
    "a line without end": b"e=t,br=(" + b"1 " * 5000 + b")",
    "no text": b"e=t,x=\xff\xfe",
    "letters past ASCII": 'e=t,cid="ä"'.encode(),
    "a NUL": b"e=t\x00",
    "markup": b"<html><body>captive portal</body></html>",
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_report_is_refused_whole(client: Client, stores: Stores, playback: Playback, what: str) -> None:
    content = f"e=ps,sta=s,ts={TS}\n".encode() + HOSTILE[what] if what != "nothing" else HOSTILE[what]
    answer = await client.post(playback.path, content=content, headers=TYPE)
    assert problem_of(answer) == (400, "input-invalid"), f"{what}: {answer.text}"
    assert not await told(stores.event_log, playback.session_id), f"{what} left events"


async def test_a_code_of_any_text_becomes_a_code(client: Client, stores: Stores, playback: Playback) -> None:
    await _post(client, playback, f'e=e,ec=("<b>no such\\"file" "second"),sta=f,ts={TS},v=2')
    codes = [event.error_code for event in await told(stores.event_log, playback.session_id)]
    assert codes == ["b-no-such-file"]


async def test_reports_spend_the_sessions_events_by_their_length_too(client: Client, playback: Playback) -> None:
    line = f'e=m,ts={TS},cid="{"x" * 1800}"\n'
    for _ in range(60):
        answer = await client.post(playback.path, content=(line * 30).encode(), headers=TYPE)
        if answer.status_code != 204:
            break
    assert problem_of(answer) == (429, "too-many-requests"), "long lines cost nothing"


async def test_the_events_of_one_line_have_ids_of_their_own(client: Client, stores: Stores, playback: Playback) -> None:
    # An interval report that also says that playing has paused: one heartbeat ends the playing, one is the interval's.
    lines = [f"e=ps,sta=s,ts={TS},v=2", f"e=ps,sta=p,ts={TS + 900},v=2", f"e=t,sta=a,ts={TS + 9000},v=2"]
    await _post(client, playback, "\n".join(lines))
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events].count("heartbeat") == 2
    assert len({event.event_id for event in events}) == len(events), "two events have one id"


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ((3, 1, 2), ["attempt", "first_frame", "heartbeat", "stall_begin"]),
        (("-1", 2**31, "(5)"), ["attempt", "first_frame", "heartbeat", "stall_begin"]),
    ],
)
async def test_reports_of_one_millisecond_are_read_as_the_player_counted_them(
    client: Client, stores: Stores, playback: Playback, counts: tuple[object, ...], kinds: list[str]
) -> None:
    """Counts that are none are as good as nothing: the report's own order is then the player's."""
    states = ("r", "s", "p") if counts[0] == 3 else ("s", "p", "r")
    lines = [f"e=ps,sn={sn},sta={state},ts={TS},v=2" for sn, state in zip(counts, states, strict=True)]
    await _post(client, playback, "\n".join(lines))
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in sorted(events, key=lambda each: (each.at_ms, each.seq or 0))] == kinds
    assert len({event.seq for event in events}) == len(events), "two events of one session have one place"
    assert all(0 <= (event.seq or 0) < 2**63 for event in events)


async def test_two_players_of_one_session_do_not_count_each_others_frames(
    client: Client, stores: Stores, playback: Playback
) -> None:
    """Two tabs on one address, or a page loaded anew: as one player its dropped frames jumped to and fro, and were summed."""
    lines = [f'e=ps,sid="{sid}",sta=p,ts={TS + number},v=2' for number, sid in enumerate("ab")]
    for turn in range(1, 6):
        lines += [f'dfa={100 + turn},e=t,sid="a",sta=p,ts={TS + 1000 * turn},v=2']
        lines += [f'dfa={turn},e=t,sid="b",sta=p,ts={TS + 1000 * turn + 500},v=2']
    await _post(client, playback, "\n".join(lines))
    events = await told(stores.event_log, playback.session_id)
    assert sum(event.count or 0 for event in events) == 105 + 5


async def test_a_line_that_names_no_player_is_of_the_one_that_reported_last(
    client: Client, stores: Stores, playback: Playback
) -> None:
    lines = [
        f'e=ps,sid="a",sta=p,ts={TS},v=2',
        f"e=t,sta=p,ts={TS + 5000},v=2",
        f'e=t,sid="a",sta=p,ts={TS + 9000},v=2',
    ]
    await _post(client, playback, "\n".join(lines))
    events = await told(stores.event_log, playback.session_id)
    assert [event.kind for event in events].count("attempt") == 1
    assert sum(event.watched_ms or 0 for event in events) == 9000
