"""A member of a Kafka group: how many requests it takes to learn where its streams are."""

import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from kafka.coordinator.consumer import ConsumerCoordinator

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.event_log.kafka.clients import parse_options
from marquee.stores.event_log.kafka.member import Member

pytestmark = pytest.mark.xdist_group("kafka")
STREAMS = 40


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many streams each request for committed places was."""
    asked: list[int] = []
    fetch = ConsumerCoordinator.fetch_committed_offsets

    def counted(self: ConsumerCoordinator, partitions: Sequence[Any], timeout_ms: int | None = None) -> Any:
        asked.append(len(partitions))
        return fetch(self, partitions, timeout_ms)

    monkeypatch.setattr(ConsumerCoordinator, "fetch_committed_offsets", counted)
    return asked


async def topic_of_many_streams(log: EventLog) -> str:
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=STREAMS)
    return topic


async def join_twice(url: str, log: EventLog, topic: str, group: str, asked: list[int]) -> None:
    """The group has no members of other topics: a leader that does not know this topic yet would deal none of its streams."""
    for known in (False, True):  # a new group, then one that has its places
        asked.clear()
        member = Member(parse_options(url), topic, group)
        assert member.join(20)
        assert asked == [STREAMS], "a new group" if not known else "a group with places"
        member.leave()
    assert await log.lag(topic, group) == 0


async def test_the_places_of_many_streams_are_read_at_once(kafka_log_url: str, asked: list[int]) -> None:
    log = open_event_log(kafka_log_url)
    topic = await topic_of_many_streams(log)
    await join_twice(kafka_log_url, log, topic, topic, asked)
    await log.close()


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_hundred_groups_read_the_places_of_many_streams_at_once(kafka_log_url: str, asked: list[int]) -> None:
    log = open_event_log(kafka_log_url)
    topic = await topic_of_many_streams(log)
    for number in range(100):
        await join_twice(kafka_log_url, log, topic, f"{topic}-{number}", asked)
    await log.close()
