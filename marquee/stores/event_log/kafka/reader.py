"""Reading Kafka without a group, from a cursor that the caller keeps. One client a process, used in one thread.

A read asks for the ends of the partitions first and reads up to them, so it never waits for new records. A cursor that points at
trimmed records goes on with the oldest record. A cursor past the end means that the log came back without its data: reading
begins anew.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import accumulate, chain, islice
from operator import itemgetter
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.kafka.clients import LEAVING_SECONDS, REQUEST_SECONDS, KafkaOptions, read_alone
from marquee.stores.event_log.kafka.records import record_of

STEP_SECONDS: Final = 0.5
_MS: Final = round(REQUEST_SECONDS * 1000)


class Reader:
    """Created and used in one thread."""

    def __init__(self, options: KafkaOptions) -> None:
        self._client: KafkaConsumer = read_alone(options)
        self._positions: dict[Any, int] = {}

    def close(self) -> None:
        self._client.close(autocommit=False, timeout_ms=LEAVING_SECONDS * 1000)

    def read(
        self, topic: str, after: Mapping[int, int], limit: int, merged: bool = True
    ) -> tuple[Sequence[Record], dict[int, int]]:
        """Up to `limit` records from `after` (next offset by stream), by time or by stream; and the next offsets after them."""
        ends = self._client.end_offsets(self._partitions(topic), timeout_ms=_MS)
        places = self._places(ends, after)
        found = self._read_up_to({each: end for each, end in ends.items() if places[each] < end}, places, limit, merged)
        records = list(islice(by_time(found.values()), limit) if merged else chain(*found.values()))
        for each, batch in found.items():
            taken = sum(record.partition == each.partition for record in records)
            if taken < len(batch):
                places[each] = batch[taken].offset
            else:  # skips the offsets that Kafka uses itself
                places[each] = batch[-1].offset + 1 if batch else self._positions[each]
        return [record_of(record) for record in records], {each.partition: place for each, place in places.items()}

    def places_at(self, topic: str, published_at_ms: int) -> dict[int, int]:
        """By stream, the offset of the first record that was published at or after a moment."""
        partitions = self._partitions(topic)
        # The ends first: a record that is published in between lies past them, and is not missed.
        ends = self._client.end_offsets(partitions, timeout_ms=_MS)
        since = self._client.offsets_for_times(dict.fromkeys(partitions, max(0, published_at_ms)), timeout_ms=_MS)
        return {each.partition: ends[each] if since[each] is None else since[each].offset for each in partitions}

    def _partitions(self, topic: str) -> list[Any]:
        numbers = self._client.partitions_for_topic(topic)
        if not numbers:
            raise KafkaTimeoutError(f"nothing is known of {topic} yet")
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    def _places(self, ends: Mapping[Any, int], after: Mapping[int, int]) -> dict[Any, int]:
        places = {each: after.get(each.partition, 0) for each in ends}
        anew = [each for each, place in places.items() if place == 0 or place > ends[each]]
        return places | (self._client.beginning_offsets(anew, timeout_ms=_MS) if anew else {})

    def _read_up_to(
        self, ends: Mapping[Any, int], places: Mapping[Any, int], limit: int, each_has_limit: bool
    ) -> dict[Any, list[Any]]:
        """The records up to `ends`, by partition, at most `limit` for each of them or for all together."""
        client = self._client
        if not ends:
            return {}
        if not set(ends) <= client.assignment():
            client.assign(list(ends))
            self._positions = {}
        for each in ends:
            if self._positions.get(each) != places[each]:
                client.seek(each, places[each])
        found: dict[Any, list[Any]] = {each: [] for each in ends}
        unread = set(ends)
        deadline = time.monotonic() + REQUEST_SECONDS
        while unread:
            if time.monotonic() > deadline:
                raise KafkaTimeoutError("records that are there did not come")
            # Records of partitions that are read far enough come too. Pausing is no way out: after two partitions are resumed,
            # the client may keep for ever what it had fetched for them.
            wanted = limit * len(ends) if each_has_limit else limit - sum(map(len, found.values()))
            polled = client.poll(timeout_ms=round(STEP_SECONDS * 1000), max_records=wanted)
            for each in set(polled) - set(ends):
                self._positions.pop(each, None)  # their records are dropped here: the next read seeks back
            for each in unread & set(polled):
                found[each] += polled[each]
            self._positions |= {each: client.position(each, timeout_ms=_MS) or 0 for each in ends}
            unread = {each for each in unread if len(found[each]) < limit and self._positions[each] < ends[each]}
            if not each_has_limit and sum(map(len, found.values())) >= limit:
                break
        return found


def by_time(streams: Iterable[Sequence[Any]]) -> Iterator[Any]:
    """The records of all streams by time. Each stream keeps its own order, also if its clock went back."""

    def timed(batch: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        return zip(accumulate((record.timestamp for record in batch), max), batch, strict=True)

    return (record for _, record in merge(*map(timed, streams), key=itemgetter(0)))
