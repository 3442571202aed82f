"""Streams of a Kafka group that change hands, rebalance by rebalance: the members are driven by hand, one call at a time."""

import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from kafka import OffsetAndMetadata
from kafka.errors import IllegalStateError
from kafka.future import Future
from kafka.structs import MemberState

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog, Record
from marquee.stores.event_log.kafka.clients import parse_options
from marquee.stores.event_log.kafka.member import Member
from tests.harness.event_log.records import publish

pytestmark = pytest.mark.xdist_group("kafka")
STREAMS = 4
MANY = 200
"""Steps, each of a tenth of a second or more, after which something that has to happen has not."""


@pytest.fixture
async def log(kafka_log_url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(kafka_log_url)
    yield store
    await store.close()


@pytest.fixture
async def topic(log: EventLog) -> str:
    name = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(name, streams=STREAMS)
    return name


@pytest.fixture
def enter(kafka_log_url: str, topic: str) -> Iterator[Callable[[], Member]]:
    """One more member of the topic's group, which is named as the topic."""
    members: list[Member] = []

    def entered() -> Member:
        members.append(Member(parse_options(kafka_log_url), topic, topic))
        return members[-1]

    yield entered
    for member in members:
        member.leave()


def coordinator_of(member: Member) -> Any:
    assert member._client is not None
    return member._client._coordinator


def generation_of(member: Member) -> int:
    return int(coordinator_of(member).group_metadata().generation_id)


def miss_a_rebalance(member: Member) -> None:
    """The group rebalances, and the member learns nothing of it but its new streams."""
    coordinator, before = coordinator_of(member), generation_of(member)
    coordinator.request_rejoin()
    for _ in range(MANY):
        coordinator.poll(timeout_ms=100)
        if generation_of(member) > before and coordinator.state is MemberState.STABLE:
            return
    raise AssertionError("the group does not come to rest")


def fetch(member: Member, count: int) -> list[Record]:
    """So many records, and what more was given with the last of them."""
    records: list[Record] = []
    for _ in range(MANY):
        records += member.fetch(50, 0.1)
        if len(records) >= count:
            return records
    raise AssertionError(f"only {len(records)} of {count} records came")


def by_stream(records: Sequence[Record]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for record in records:
        found.setdefault(record.stream, []).append(int(record.position))
    return found


async def one_to_each_stream(log: EventLog, topic: str) -> set[tuple[int, int]]:
    """Publish until every stream has a new record; returns where they are."""
    new: set[tuple[int, int]] = set()
    while len({stream for stream, _ in new}) < STREAMS:
        record = await log.publish(topic, secrets.token_hex(4), b"0")
        new.add((record.stream, int(record.position)))
    return new


def places(records: Sequence[Record]) -> set[tuple[int, int]]:
    return {(record.stream, int(record.position)) for record in records}


def test_a_join_that_ended_between_two_polls_is_not_made_a_second_time(enter: Callable[[], Member]) -> None:
    member = enter()
    assert member.join(20)
    coordinator, before = coordinator_of(member), generation_of(member)
    coordinator.request_rejoin()
    coordinator.poll(timeout_ms=0)
    ended = threading.Event()
    coordinator._join_task.add_both(lambda _: ended.set())
    assert ended.wait(20)
    assert coordinator.state is MemberState.REBALANCING
    member.keep()
    assert coordinator.state is MemberState.STABLE, "the join that had ended was not taken"
    assert generation_of(member) == before + 1, "the member joined a second time, and everybody rebalanced again"


@pytest.mark.parametrize("missed", ["two rebalances", "its membership"])
async def test_what_a_member_holds_does_not_come_again_while_nobody_else_had_its_streams(
    log: EventLog, topic: str, enter: Callable[[], Member], missed: str
) -> None:
    member = enter()
    await publish(log, topic, 40)
    assert member.join(20)
    held = fetch(member, 40)
    member.acknowledge({stream: offsets[:1] for stream, offsets in by_stream(held).items()})
    if missed == "two rebalances":
        miss_a_rebalance(member)
        miss_a_rebalance(member)
    else:
        coordinator_of(member).maybe_leave_group()
    new = await one_to_each_stream(log, topic)
    given = fetch(member, len(new))
    assert places(given) == new, "what the member held came again, before or after what is new"
    assert {record.deliveries for record in given} == {1}
    member.acknowledge(by_stream([*held, *given]))
    assert await log.lag(topic, topic) == 0


@pytest.mark.parametrize("late_answer", [False, True], ids=["", "with a late answer"])
async def test_what_another_member_acknowledged_meanwhile_does_not_come_again(
    log: EventLog, topic: str, enter: Callable[[], Member], late_answer: bool
) -> None:
    first, second = enter(), enter()
    await publish(log, topic, 40)
    assert first.join(20)
    held = fetch(first, 40)
    committed = {each: OffsetAndMetadata(place.next, place.stored(), -1) for each, place in first._places.items()}
    for _ in range(MANY):
        coordinator_of(first).poll(timeout_ms=100)  # it takes part, and does not notice what is whose
        second.keep()
        if second.unstable_since is None:
            break
    lost = {each.partition for each in second._places}
    assert 0 < len(lost) < STREAMS
    theirs = fetch(second, sum(record.stream in lost for record in held))
    second.acknowledge(by_stream(theirs))
    second.leave()
    miss_a_rebalance(first)
    assert first._client is not None
    assert len(first._client.assignment()) == STREAMS
    if late_answer:  # to what the client asked when the streams were the first member's
        coordinator_of(first)._offset_fetch_futures[frozenset(committed)] = Future().success(committed)
    new = await one_to_each_stream(log, topic)
    given = fetch(first, len(new))
    assert places(given) == new
    first.acknowledge(by_stream([record for record in (*held, *given) if (record.stream in lost) <= (record in given)]))
    assert await log.lag(topic, topic) == 0, "the group was set back behind what the other member had acknowledged"


async def test_what_another_member_left_unacknowledged_comes_before_what_is_new(
    log: EventLog, topic: str, enter: Callable[[], Member]
) -> None:
    first, second = enter(), enter()
    await publish(log, topic, 40)
    assert first.join(20)
    for _ in range(MANY):
        first.keep()
        second.keep()
        if second.unstable_since is None:
            break
    theirs = {each.partition for each in second._places}
    left = places(fetch(second, 1))
    second.leave()
    new = await one_to_each_stream(log, topic)
    given = [record for record in fetch(first, 40 + len(new)) if record.stream in theirs]
    for offsets in by_stream(given).values():
        assert offsets == sorted(set(offsets)), "new records came before those left unacknowledged, or one came twice"
    assert left <= places(given)
    assert {record.deliveries for record in given if (record.stream, int(record.position)) in left} == {2}


def test_a_member_that_left_opens_no_client_again(enter: Callable[[], Member]) -> None:
    member = enter()
    assert member.join(20)
    member.leave()
    for call in (member.keep, member.rewind, lambda: member.fetch(1, 0.0), lambda: member.acknowledge({0: [0]})):
        with pytest.raises(IllegalStateError):
            call()
    assert member._client is None
