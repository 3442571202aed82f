"""A member of a Kafka group: how many requests it takes to learn where its streams are."""

import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from kafka.coordinator.consumer import ConsumerCoordinator

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka.clients import parse_options
from marquee.stores.event_log.kafka.member import Member

pytestmark = pytest.mark.xdist_group("kafka")
STREAMS = 40


async def test_the_places_of_many_streams_are_read_at_once(kafka_log_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_event_log(kafka_log_url)
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=STREAMS)
    asked: list[int] = []
    fetch = ConsumerCoordinator.fetch_committed_offsets

    def counted(self: ConsumerCoordinator, partitions: Sequence[Any], timeout_ms: int | None = None) -> Any:
        asked.append(len(partitions))
        return fetch(self, partitions, timeout_ms)

    monkeypatch.setattr(ConsumerCoordinator, "fetch_committed_offsets", counted)
    for known in (False, True):  # a new group, then one that has its places
        asked.clear()
        # A group of its own: in one with members of other topics, a leader that does not know this topic yet deals none of it.
        member = Member(parse_options(kafka_log_url), topic, topic)
        assert member.join(20)
        assert asked == [STREAMS], "a new group" if not known else "a group with places"
        member.leave()
    assert await log.lag(topic, topic) == 0
    await log.close()
