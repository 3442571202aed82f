"""What the API tells itself: streams that start, searches and what was opened of them; and that no request waits for it."""

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.app import create_app
from api.telemetry import server_events
from api.telemetry.server_events import ServerEvents
from marquee.errors import InputInvalid, StoreUnavailable
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog
from marquee.stores.opened import Stores
from tests.api.conftest import Person
from tests.harness.api.seeding import Seeder
from tests.harness.api.telemetry import batch, begin, events_of, problem_of
from tests.harness.servers import make_test_settings, running

Client = AsyncTestClient[Litestar]
TV = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0.4606.128 Safari/537.36"


async def _soon(log: EventLog, key: str) -> list[ViewingEvent]:
    """The key's events, once there is one."""
    async with asyncio.timeout(60):
        while True:
            if found := await events_of(log, key):
                return found
            await asyncio.sleep(0.05)


async def test_a_stream_that_starts_is_told(
    client: Client, viewer: Person, stores: Stores, seed: Seeder, api_settings: Settings
) -> None:
    movie_id = await seed.playable("Started")
    headers = {**viewer.headers, "User-Agent": TV}
    stream = (await client.get("/api/v1/stream", params={"movie_id": movie_id}, headers=headers)).json()
    [event] = await _soon(stores.event_log, stream["session_id"])
    assert (event.kind, event.source, event.profile_id, event.movie_id) == (
        "stream_started",
        "server",
        viewer.profile_id,
        movie_id,
    )
    assert (event.version, event.device, event.is_preview) == (1, "tv", False)
    assert event.edge in api_settings.edges
    assert stream["stream_url"].startswith(str(event.edge)), "the event names another edge than the address"


async def test_a_search_is_told_once_and_what_was_opened_of_it(client: Client, viewer: Person, stores: Stores) -> None:
    asked = {"q": "  No  SUCH film "}
    page = (await client.get("/api/v1/search", params=asked, headers=viewer.headers)).json()
    body = {"movie_id": "m_00000000000000000000", "place": 3}
    answer = await client.post(f"/api/v1/search/{page['search_id']}/opened", json=body, headers=viewer.headers)
    assert answer.status_code == 204, answer.text
    async with asyncio.timeout(60):
        while True:
            found = [e for e in await events_of(stores.event_log) if e.query == "no such film"]
            if {event.kind for event in found} == {"search_asked", "search_opened"}:
                break
            await asyncio.sleep(0.05)
    by_kind = {event.kind: event for event in found}
    assert (by_kind["search_asked"].results, by_kind["search_asked"].profile_id) == (
        len(page["results"]),
        viewer.profile_id,
    )
    opened = by_kind["search_opened"]
    assert (opened.movie_id, opened.place, opened.profile_id) == ("m_00000000000000000000", 3, viewer.profile_id)
    assert opened.event_id.startswith(by_kind["search_asked"].event_id), "the two cannot be joined"


async def test_a_search_that_is_typed_is_told_once_a_result_is_opened(
    client: Client, viewer: Person, stores: Stores
) -> None:
    for prefix in ("zq", "zqx", "zqxw"):
        asked: dict[str, str | bool] = {"q": prefix, "typing": True}
        page = (await client.get("/api/v1/search", params=asked, headers=viewer.headers)).json()
    for place in (1, 2):
        body = {"movie_id": f"m_{place:020}", "place": place}
        answer = await client.post(f"/api/v1/search/{page['search_id']}/opened", json=body, headers=viewer.headers)
        assert answer.status_code == 204, answer.text
    # Told through the same queue as the typed ones would have been: what came before it is in the log.
    await client.get("/api/v1/search", params={"q": "zq rested"}, headers=viewer.headers)
    async with asyncio.timeout(60):
        while True:
            found = [e for e in await events_of(stores.event_log) if (e.query or "").startswith("zq")]
            if any(event.query == "zq rested" for event in found):
                break
            await asyncio.sleep(0.05)
    asked_of = {(event.event_id, event.query, event.results) for event in found if event.kind == "search_asked"}
    assert {query for _, query, _ in asked_of} == {"zqxw", "zq rested"}, "a half-typed word is counted"
    assert len(asked_of) == 2, "two opened results count as two searches"
    assert sorted(e.place or 0 for e in found if e.kind == "search_opened") == [1, 2]


async def test_a_search_id_of_nobody_is_refused(client: Client, viewer: Person) -> None:
    page = (await client.get("/api/v1/search", params={"q": "x"}, headers=viewer.headers)).json()
    body = {"movie_id": "m_00000000000000000000", "place": 1}
    for forged in ("x", page["search_id"][:-1], f"a{page['search_id']}"):
        answer = await client.post(f"/api/v1/search/{forged}/opened", json=body, headers=viewer.headers)
        assert problem_of(answer) == (400, "input-invalid"), forged
        assert answer.json()["field"] == "search_id"
    refused = await client.post(f"/api/v1/search/{page['search_id']}/opened", json=body)
    assert refused.status_code == 401


async def test_a_published_title_is_in_the_outbox_with_its_publication(stores: Stores, seed: Seeder) -> None:
    movie_id = await seed.playable("Told as published")
    entries = [entry for entry in await stores.catalogue.outbox.oldest(limit=10_000) if entry.key == movie_id]
    [entry] = [entry for entry in entries if entry.topic == VIEWING_EVENTS]
    assert b'"kind":"title_published"' in entry.value
    assert f'"movie_id":"{movie_id}"'.encode() in entry.value


@pytest.fixture
def own_log(tmp_path: Path) -> Iterator[tuple[Settings, subprocess.Popen[bytes]]]:
    settings = make_test_settings(tmp_path)
    with running(local_engines.valkey_log(settings), tmp_path) as process:
        yield settings, process


@pytest.fixture
async def without_log(
    own_log: tuple[Settings, subprocess.Popen[bytes]], api_settings: Settings
) -> AsyncIterator[Client]:
    """An API whose event log has been killed."""
    settings, process = own_log
    app = create_app(api_settings.model_copy(update={"event_log_url": settings.event_log}))
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        process.kill()
        process.wait()
        yield client


async def test_without_the_event_log_telemetry_says_so_and_all_else_goes_on(
    without_log: Client, viewer: Person, seed: Seeder
) -> None:
    movie_id = await seed.playable("Played in an outage")
    playback = await begin(without_log, viewer, movie_id)
    answer = await without_log.post(playback.path, json=batch({"kind": "attempt"}))
    assert problem_of(answer) == (503, "store-unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await without_log.get("/api/v1/search", params={"q": "x"}, headers=viewer.headers)).status_code == 200
    body = {"movie_id": movie_id, "position_seconds": 5}
    progress = await without_log.post("/api/v1/stream/progress", json=body, headers=viewer.headers)
    assert progress.status_code == 204, "progress needs the event log"
    # The first answers wait for the event log; then it is known to be down.
    for _ in range(20):
        answer = await without_log.post(playback.path, json=batch({"kind": "attempt"}))
        if "times in a row" in answer.json().get("detail", ""):
            break
    assert problem_of(answer) == (503, "store-unavailable")
    assert "times in a row" in answer.json()["detail"], "every report waits for an event log that is down"
    metrics = (await without_log.get("/metrics")).text
    assert re.search(r'marquee_api_telemetry_reports_refused_total\{code="store-unavailable"\} [1-9]', metrics)


class _SlowLog:
    """An event log that takes nothing until it is `open`."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.records: list[tuple[str, bytes]] = []

    async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        assert topic == VIEWING_EVENTS
        if not self.is_open.is_set():
            raise StoreUnavailable("down")
        self.records += records


def _event(number: int) -> ViewingEvent:
    now_ms = time.time_ns() // 1_000_000
    return ViewingEvent(event_id=str(number), kind="search_asked", source="server", at_ms=now_ms, received_at_ms=now_ms)


async def test_events_wait_for_the_event_log_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_events, "MAX_WAITING", 50)
    log = _SlowLog()
    events = ServerEvents(log)  # type: ignore[arg-type]
    dropped = server_events.DROPPED._value.get()
    async with events.published():
        for number in range(70):
            events.tell("key", _event(number))
        assert server_events.DROPPED._value.get() - dropped == 20, "what is lost is not counted"
        log.is_open.set()
    assert [f'"event_id":"{number}"'.encode() in value for number, (_, value) in enumerate(log.records)] == [True] * 50


async def test_what_waits_at_the_end_is_published_or_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_events, "FLUSH_SECONDS", 0.2)
    log = _SlowLog()
    events = ServerEvents(log)  # type: ignore[arg-type]
    dropped = server_events.DROPPED._value.get()
    async with events.published():
        events.tell("key", _event(1))
    assert server_events.DROPPED._value.get() - dropped == 1
    assert not log.records


async def test_a_batch_that_fails_is_dropped_and_counted_and_the_next_ones_are_published(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class BrokenOnce(_SlowLog):
        is_broken = True

        async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
            if self.is_broken:
                self.is_broken = False
                raise InputInvalid("The batch is too large.", field="value")
            await super().publish_many(topic, records)

    monkeypatch.setattr(server_events, "BATCH", 3)
    log = BrokenOnce()
    log.is_open.set()
    events = ServerEvents(log)  # type: ignore[arg-type]
    dropped = server_events.DROPPED._value.get()
    async with events.published():
        for number in range(5):
            events.tell("key", _event(number))
        async with asyncio.timeout(60):
            while len(log.records) < 2:  # noqa: ASYNC110  (the task under test sets no event)
                await asyncio.sleep(0.01)
    assert server_events.DROPPED._value.get() - dropped == 3, "what is lost is not counted"
    assert [
        f'"event_id":"{number}"'.encode() in value for number, (_, value) in zip((3, 4), log.records, strict=True)
    ] == [
        True,
        True,
    ]
    told = capsys.readouterr()
    assert "they could not be published" in told.out + told.err, "nobody is told why"
