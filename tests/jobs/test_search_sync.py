"""The search sync: what Debezium tells reaches the index; poison is buried; a lost index is rebuilt."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from jobs.search_sync import ChangeUnreadable, IndexFailed, SearchSync, read_change
from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Consumer, EventLog
from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import Deletion, SearchIndex
from tests.harness.search_indices import remove_indices


def envelope(movie_id: str, revision: int, title: str | None = "Film", op: str = "u") -> bytes:
    """As Debezium writes it: jsonb is a string of JSON; no document is a tombstone."""
    document = None
    if title is not None:
        document = msgspec.json.encode(SearchDocument(movie_id=movie_id, revision=revision, title=title)).decode()
    row = {"movie_id": movie_id, "revision": revision, "document": document, "changed_at": "2026-11-22T18:00:00Z"}
    sides = {"before": row, "after": None} if op == "d" else {"before": None, "after": row}
    return json.dumps({**sides, "op": op, "source": {"ts_ms": int(time.time() * 1000)}, "ts_ms": 1}).encode()


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=pytest.mark.xdist_group("kafka"))])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(url)
    yield store
    await store.close()


@pytest.fixture
async def topic(log: EventLog) -> str:
    name = f"changes-{secrets.token_hex(6)}"
    await log.ensure_topic(name, streams=2)
    return name


@pytest.fixture
async def consumer(log: EventLog, topic: str) -> AsyncIterator[Consumer]:
    member = await log.subscribe(topic, "search-sync")
    yield member
    await member.close()


@pytest.fixture(
    params=["tantivy", pytest.param("elasticsearch", marks=pytest.mark.xdist_group("elasticsearch"))],
)
def index_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "tantivy":
        return f"tantivy://{tmp_path}/search"
    return str(request.getfixturevalue("elasticsearch_urls")())


@pytest.fixture
async def index(index_url: str) -> AsyncIterator[SearchIndex]:
    store = await open_search_writer(index_url)
    yield store
    await store.close()


async def lose(index_url: str) -> None:
    """Take the index away from under whoever writes it."""
    if index_url.startswith("tantivy"):
        folder = Path(urlsplit(index_url).path)
        folder.rename(folder.with_name("elsewhere"))
    else:
        await remove_indices([index_url])


async def drain(sync: SearchSync, log: EventLog, topic: str, *, group: str = "search-sync") -> None:
    for _ in range(30):
        await sync.step()
        if await log.lag(topic, group) == 0:
            return
    raise AssertionError(f"{await log.lag(topic, group)} changes were never acknowledged")


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_a_written_row_is_an_upsert(op: str) -> None:
    change, committed_at_ms = read_change(envelope("m", 3, "Film", op))
    assert change == SearchDocument(movie_id="m", revision=3, title="Film")
    assert committed_at_ms is not None


def test_a_tombstone_and_a_deleted_row_are_deletions() -> None:
    assert read_change(envelope("m", 4, None))[0] == Deletion("m", 4)
    assert read_change(envelope("m", 4, "Film", "d"))[0] == Deletion("m", 4)


def test_an_envelope_with_its_schema_is_read_too() -> None:
    wrapped = json.dumps({"schema": {"type": "struct"}, "payload": json.loads(envelope("m", 3))}).encode()
    assert read_change(wrapped)[0] == read_change(envelope("m", 3))[0]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"op":"x"}',
        b"[" * 20_000,
        b'{"op":"u","after":null}',
        b'{"op":"u","after":{"movie_id":1,"revision":1,"document":"{}"}}',
        b'{"op":"u","after":{"movie_id":"m","revision":1,"document":"{"}}',
        b'{"op":"u","after":{"movie_id":"m","revision":1,"document":"{\\"movie_id\\":\\"n\\",\\"revision\\":1,\\"title\\":\\"\\"}"}}',
    ],
)
def test_what_is_no_change_is_said_so(value: bytes) -> None:
    with pytest.raises(ChangeUnreadable):
        read_change(value)


async def test_changes_reach_the_index_and_replay_does_no_harm(
    log: EventLog, topic: str, consumer: Consumer, index: SearchIndex
) -> None:
    for revision in (1, 3, 2):
        await log.publish(topic, "m", envelope("m", revision, f"Film {revision}"))
    await log.publish(topic, "gone", envelope("gone", 1))
    await log.publish(topic, "gone", envelope("gone", 2, None))
    sync = SearchSync(consumer, index)
    await drain(sync, log, topic)
    assert (await index.revision("m"), await index.revision("gone"), await index.count()) == (3, None, 1)
    again = await log.subscribe(topic, "replay")
    await drain(SearchSync(again, index), log, topic, group="replay")
    assert (await index.revision("m"), await index.revision("gone"), await index.count()) == (3, None, 1)
    await again.close()


async def test_poison_is_buried_and_holds_nothing_up(
    log: EventLog, topic: str, consumer: Consumer, index: SearchIndex
) -> None:
    await log.publish(topic, "a", b"not a change")
    await log.publish(topic, "a", envelope("a", 1))
    # Readable, but nothing that an index can hold.
    await log.publish(topic, "c", envelope("c", -1))
    await log.publish(topic, "d", envelope("d", 2**70))
    await log.publish(topic, "b", envelope("b", 2))
    await drain(SearchSync(consumer, index), log, topic)
    assert (await index.revision("a"), await index.revision("b")) == (1, 2)
    buried, _ = await log.read(f"{topic}.dead", None)
    assert sorted(record.key for record in buried) == ["a", "c", "d"]
    assert all(record.headers["dead-reason"] for record in buried)


class Failing:
    """A store of which some calls fail with `StoreUnavailable` so often first; everything else is the real one's."""

    def __init__(self, store: object, **times: int) -> None:
        self._store = store
        self._times = times

    def __getattr__(self, name: str) -> Callable[..., object]:
        if self._times.get(name, 0):
            self._times[name] -= 1
            return self._fail
        return getattr(self._store, name)  # type: ignore[no-any-return]

    async def _fail(self, *_: object, **__: object) -> None:
        raise StoreUnavailable("It does not answer for now.")


async def steps(sync: SearchSync, log: EventLog, topic: str) -> int:
    """Step until everything is acknowledged, as often as it takes; returns how many steps failed."""
    failed = 0
    for _ in range(30):
        try:
            await sync.step()
        except StoreUnavailable:
            failed += 1
        if await log.lag(topic, "search-sync") == 0:
            return failed
    raise AssertionError(f"{await log.lag(topic, 'search-sync')} changes were never acknowledged")


async def test_an_index_that_refuses_writes_for_a_while_gets_every_change_later(
    log: EventLog, topic: str, consumer: Consumer, index: SearchIndex
) -> None:
    for number in range(20):
        await log.publish(topic, f"m{number}", envelope(f"m{number}", 1))
    busy: Any = Failing(index, apply=10)
    assert await steps(SearchSync(consumer, busy), log, topic) == 10, "a refusal was not said to whoever waits"
    assert await index.count() == 20
    buried, _ = await log.read(f"{topic}.dead", None)
    assert not buried


async def test_what_is_delivered_often_is_not_buried_for_that(
    log: EventLog, topic: str, consumer: Consumer, index: SearchIndex
) -> None:
    await log.publish(topic, "poison", envelope("poison", -1))
    for number in range(10):
        await log.publish(topic, f"m{number}", envelope(f"m{number}", 1))
    busy: Any = Failing(index, apply=10)
    await steps(SearchSync(consumer, busy), log, topic)
    assert await index.count() == 10
    buried, _ = await log.read(f"{topic}.dead", None)
    assert [record.key for record in buried] == ["poison"]


@pytest.mark.parametrize("call", ["acknowledge", "dead_letter"])
async def test_changes_come_again_after_the_log_was_away(
    log: EventLog, topic: str, consumer: Consumer, tmp_path: Path, call: str
) -> None:
    index = await open_search_writer(f"tantivy://{tmp_path}/search")
    await log.publish(topic, "a", b"not a change")
    for number in range(10):
        await log.publish(topic, f"m{number}", envelope(f"m{number}", 1))
    lost: Any = Failing(consumer, **{call: 1, "rewind": 2})
    sync = SearchSync(lost, index)
    assert await steps(sync, log, topic) == 3
    assert await index.count() == 10
    buried, _ = await log.read(f"{topic}.dead", None)
    assert [record.key for record in buried] == ["a"]
    await index.close()


async def test_an_index_that_is_gone_ends_the_sync_and_nothing_is_acknowledged(
    log: EventLog, topic: str, consumer: Consumer, index: SearchIndex, index_url: str
) -> None:
    await index.apply([SearchDocument(movie_id="before", revision=1, title="Film")])
    await lose(index_url)
    await log.publish(topic, "m", envelope("m", 1))
    with pytest.raises((IndexFailed, StoreUnavailable)):
        await SearchSync(consumer, index).step()
    assert await log.lag(topic, "search-sync") == 1
