"""Topics on Kafka by the admin client: create, count the unacknowledged records of a group, trim. Every function blocks.

A topic keeps its records until they are trimmed (`retention.ms=-1`: Kafka's own retention drops records that no group has read).
The broker's clock stamps them (`LogAppendTime`), so that a moment is the same for every publisher. A topic is created with the
copies that the URL asks for, or not at all: nobody would notice later that it has fewer.
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
    """The number of a topic's partitions; None if the topic does not exist. Raises `InputInvalid` for an impossible name."""
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
    """Idempotent. An existing topic keeps its partitions. Raises `TooFewBrokers`."""
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
        pass  # another process has just created it
    except InvalidReplicationFactorError as error:  # a broker that is known and away counts as one
        raise TooFewBrokers(
            f"Kafka has fewer brokers than the {options.replication} copies that the topic {topic} is to have: start those "
            f"that are missing, or say in {SETTING} how many copies there are to be, such as ?replication=1 for one broker."
        ) from error
    client.wait_for_topics([topic])


def count_unacknowledged(client: KafkaAdminClient, topic: str, group: str) -> int:
    """The number of records that the group has not acknowledged."""
    partitions = _partitions(client, topic)
    begins = _offsets(client, partitions, OffsetSpec.EARLIEST)
    places = _places(client, [group], partitions).get(group, {})
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    return sum(
        places.get(each, Place(begins[each])).count_unacknowledged(begin=begins[each], end=ends[each])
        for each in partitions
    )


def trim(
    client: KafkaAdminClient,
    topic: str,
    older_than_ms: int,
    needed_by: Collection[str],
    read_to: Mapping[int, int] | None = None,
) -> int:
    """Drop the records that are older than an age and acknowledged by every group with a place in the topic; returns how many.

    A partition in which a group of `needed_by` has no place loses nothing, nor one that `read_to` (next offsets) lacks.
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
    if read_to is not None:
        bounds = {each: min(bound, read_to.get(each.partition, begins[each])) for each, bound in bounds.items()}
    dropped = {each: bound for each, bound in bounds.items() if bound > begins[each]}
    if dropped:
        client.delete_records(dropped)
    return sum(bound - begins[each] for each, bound in dropped.items())


def count_records(client: KafkaAdminClient, topic: str) -> int:
    """The number of records that the topic holds."""
    partitions = _partitions(client, topic)
    begins = _offsets(client, partitions, OffsetSpec.EARLIEST)
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    return sum(ends[each] - begins[each] for each in partitions)


def trim_to(client: KafkaAdminClient, topic: str, records: int) -> int:
    """Drop the oldest records until each partition holds its share of `records` at most; returns how many."""
    partitions = _partitions(client, topic)
    share = max(0, records) // max(1, len(partitions))
    begins = _offsets(client, partitions, OffsetSpec.EARLIEST)
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    dropped = {each: ends[each] - share for each in partitions if ends[each] - share > begins[each]}
    if dropped:
        client.delete_records(dropped)
    return sum(bound - begins[each] for each, bound in dropped.items())


def _partitions(client: KafkaAdminClient, topic: str) -> list[Any]:
    return [TopicPartition(topic, number) for number in range(count_streams(client, topic) or 0)]


def _offsets(client: KafkaAdminClient, partitions: Collection[Any], moment: Any) -> dict[Any, int]:
    """By partition; -1 if no record is as young as the moment."""
    return {
        each: found.offset for each, found in client.list_partition_offsets(dict.fromkeys(partitions, moment)).items()
    }


def _places(
    client: KafkaAdminClient, groups: Collection[str], partitions: Collection[Any]
) -> Mapping[str, Mapping[Any, Place]]:
    """The places by group and partition; groups without a place are left out."""
    if not groups:
        return {}
    committed = client.list_group_offsets({group: list(partitions) for group in groups})
    return {
        group: {each: Place.restored(kept.offset, kept.metadata) for each, kept in found.items() if kept.offset >= 0}
        for group, found in committed.items()
    }
