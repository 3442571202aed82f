"""Topics on Kafka, by its admin client: made, counted, measured against groups and trimmed. Every function blocks.

A topic of ours keeps its records until they are trimmed (`retention.ms=-1`: Kafka itself would drop what no group has read)
and stamps them with the broker's clock (`LogAppendTime`), so that a moment is the same for every publisher. It is made with
the copies that the URL asks for, or not at all: later nobody would notice that it has fewer.
"""

import time
from collections.abc import Collection, Mapping
from typing import Any

from kafka import KafkaAdminClient, OffsetSpec, TopicPartition
from kafka.errors import (
    InvalidReplicationFactorError,
    InvalidTopicError,
    LeaderNotAvailableError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from marquee.errors import InputInvalid
from marquee.stores.event_log.contract import SETTING
from marquee.stores.event_log.kafka.clients import KafkaOptions, TooFewBrokers
from marquee.stores.event_log.kafka.place import Place


def count_streams(client: KafkaAdminClient, topic: str) -> int | None:
    """Partitions of a topic, None where there is none. Raises `InputInvalid` for what cannot be a topic's name."""
    [described] = client.describe_topics([topic])
    error = for_code(described["error_code"])
    if error is UnknownTopicOrPartitionError:
        return None
    if error is InvalidTopicError:
        raise InputInvalid(f"{topic!r} cannot be a topic's name.", field="topic")
    if not described["partitions"]:
        raise LeaderNotAvailableError(topic)
    return len(described["partitions"])


def make_topic(client: KafkaAdminClient, topic: str, streams: int, options: KafkaOptions) -> None:
    """Idempotent; a topic that is there keeps the partitions that it has. Raises `TooFewBrokers`."""
    if count_streams(client, topic) is not None:
        return
    configuration = {
        "min.insync.replicas": str(options.min_insync),
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "message.timestamp.type": "LogAppendTime",
    }
    wanted = {"num_partitions": streams, "replication_factor": options.replication, "configs": configuration}
    try:
        client.create_topics({topic: wanted})
    except TopicAlreadyExistsError:
        pass  # made by another process in this moment
    except InvalidReplicationFactorError as error:  # brokers that are known and away do count
        raise TooFewBrokers(
            f"Kafka has fewer brokers than the {options.replication} copies that the topic {topic} is to have: start those "
            f"that are missing, or say in {SETTING} how many copies there are to be, such as ?replication=1 for one broker."
        ) from error
    client.wait_for_topics([topic])


def count_behind(client: KafkaAdminClient, topic: str, group: str) -> int:
    """Records of the topic that the group has not acknowledged."""
    partitions = _partitions(client, topic)
    begins = _offsets(client, partitions, OffsetSpec.EARLIEST)
    places = _places(client, [group], partitions).get(group, {})
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    return sum(places.get(each, Place(begins[each])).behind(begin=begins[each], end=ends[each]) for each in partitions)


def trim(client: KafkaAdminClient, topic: str, older_than_ms: int, needed_by: Collection[str]) -> int:
    """Drop what is older than an age and acknowledged by every group that has a place in the topic; returns how many.

    Of a partition in which one of `needed_by` has no place nothing is dropped.
    """
    partitions = _partitions(client, topic)
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    begins = _offsets(client, partitions, OffsetSpec.EARLIEST)
    young = _offsets(client, partitions, max(0, round(time.time() * 1000) - max(0, older_than_ms)))
    bounds = {each: ends[each] if young[each] < 0 else young[each] for each in partitions}
    groups = [group["group_id"] for group in client.list_groups() if group["protocol_type"] in ("consumer", "")]
    for group, places in _places(client, {*groups, *needed_by}, partitions).items():
        for each in partitions:
            if each in places:
                bounds[each] = min(bounds[each], places[each].next)
            elif group in needed_by:
                bounds[each] = begins[each]
    dropped = {each: bound for each, bound in bounds.items() if bound > begins[each]}
    if dropped:
        client.delete_records(dropped)
    return sum(bound - begins[each] for each, bound in dropped.items())


def _partitions(client: KafkaAdminClient, topic: str) -> list[Any]:
    return [TopicPartition(topic, number) for number in range(count_streams(client, topic) or 0)]


def _offsets(client: KafkaAdminClient, partitions: Collection[Any], moment: Any) -> dict[Any, int]:
    """By partition; -1 where nothing is as young as the moment."""
    return {
        each: found.offset for each, found in client.list_partition_offsets(dict.fromkeys(partitions, moment)).items()
    }


def _places(
    client: KafkaAdminClient, groups: Collection[str], partitions: Collection[Any]
) -> Mapping[str, Mapping[Any, Place]]:
    """The places of groups in partitions, of those that have one."""
    if not groups:
        return {}
    committed = client.list_group_offsets({group: list(partitions) for group in groups})
    return {
        group: {each: Place.restored(kept.offset, kept.metadata) for each, kept in found.items() if kept.offset >= 0}
        for group, found in committed.items()
    }
