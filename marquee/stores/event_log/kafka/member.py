"""A member of a consumer group, in the thread that alone uses its client: what it owns, gives out, and writes down.

Kafka deals the streams out and fences a member that was away for longer than its lease. Before records are given out, the
place of their stream is committed with their count of deliveries: a member that is no longer one fails there and gives
nothing. Acknowledging commits how far the stream is acknowledged without a gap (`kafka_place`). A stream that stays through a
rebalance keeps its place; any other begins with what is committed, for a new group with the oldest record, committed at
once, so that trimming knows of the group.

While nobody asks for records, `keep` takes part in rebalances and fetches nothing, so that a slow handler holds nobody up.
"""

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import MemberState

from marquee.logs import get_logger
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.kafka.clients import LEAVING_SECONDS, KafkaOptions, join_group
from marquee.stores.event_log.kafka.place import Place
from marquee.stores.event_log.kafka.records import record_of

STEP_SECONDS: Final = 0.1
CALL_SECONDS: Final = 2.0
_MS: Final = round(CALL_SECONDS * 1000)
REBALANCED: Final = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)
"""Not ours any more, or not for now: taking part in the rebalance shows what still is."""

log = get_logger()


class Member:
    """Used in one thread. `unstable_since` (monotonic) may be read from others: None while it is a member."""

    def __init__(self, options: KafkaOptions, topic: str, group: str) -> None:
        self._options = options
        self._topic = topic
        self._group = group
        self._client: KafkaConsumer | None = None
        self._places: dict[Any, Place] = {}
        self._membership = ("", -1)
        """Its id and the group's generation, of when the places were last made to fit."""
        self.unstable_since: float | None = time.monotonic()

    # --- membership --------------------------------------------------------------------------------------
    def join(self, seconds: float) -> bool:
        """Whether it is a member whose streams' places are known, after so long at most."""
        deadline = time.monotonic() + seconds
        while self.unstable_since is not None and time.monotonic() < deadline:
            self.keep()
        return self.unstable_since is None

    def keep(self) -> None:
        """Stay a member, or become one."""
        # Inside the client, as its own poll would fetch besides; and what it fetched for paused partitions it may keep for
        # ever once two of them are resumed.
        seconds = 0 if self.unstable_since is None else STEP_SECONDS
        self._opened()._coordinator.poll(timeout_ms=round(seconds * 1000))
        with contextlib.suppress(*REBALANCED):  # in the midst of one
            self._settle()

    def leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(autocommit=False, timeout_ms=LEAVING_SECONDS * 1000)

    def _opened(self) -> KafkaConsumer:
        if self._client is None:
            self._client = join_group(self._options, self._group)
            self._client.subscribe([self._topic])
        if self.unstable_since is not None and not self._client.partitions_for_topic(self._topic):
            # Joining without knowing the topic's streams is how a first poll comes to hang.
            raise KafkaTimeoutError(f"nothing is known of {self._topic} yet")
        return self._client

    def _settle(self) -> set[Any]:
        """Make the places fit what is ours; returns the streams whose place was read anew, where reading begins there."""
        client = self._opened()
        now = client.group_metadata()
        if now.state != MemberState.STABLE:
            self.unstable_since = self.unstable_since or time.monotonic()
            return set()
        member_id, generation = self._membership
        # Whoever missed no generation owned in between what it owns now as before.
        stayed = now.member_id == member_id and now.generation_id - generation in (0, 1)
        kept = client.assignment() & set(self._places) if stayed else set()
        for each in set(self._places) - kept:
            del self._places[each]
            log.info("stream_given_up", topic=self._topic, stream=each.partition, group=self._group)
        anew: set[Any] = client.assignment() - kept
        for each, place in self._committed(anew).items():
            self._places[each] = place
            client.seek(each, place.next)
        self._membership = (now.member_id, now.generation_id)
        self.unstable_since = None
        return anew

    def _committed(self, partitions: Collection[Any]) -> dict[Any, Place]:
        """In three requests at most, however many partitions: with one after the other a slow broker takes HUNG_SECONDS."""
        if not partitions:
            return {}
        # Inside the client, whose own `committed` takes one partition.
        kept = self._opened()._coordinator.fetch_committed_offsets(list(partitions), timeout_ms=_MS)
        places = {
            each: Place.restored(found.offset, found.metadata) for each, found in kept.items() if found.offset >= 0
        }
        if unknown := [each for each in partitions if each not in places]:
            begins = self._opened().beginning_offsets(unknown, timeout_ms=_MS)
            begun = {each: Place(begins[each]) for each in unknown}
            self._commit(begun)
            places |= begun
        return places

    # --- records -----------------------------------------------------------------------------------------
    def fetch(self, limit: int, seconds: float) -> list[Record]:
        """The next records, after so long at most."""
        polled = self._opened().poll(timeout_ms=round(seconds * 1000), max_records=limit)
        try:
            anew = self._settle()
            return self._given({each: found for each, found in polled.items() if each not in anew})
        except BaseException as error:
            self._put_back(polled)
            if isinstance(error, REBALANCED):
                return []
            raise

    def acknowledge(self, offsets: Mapping[int, Sequence[int]]) -> None:
        """By stream. Raises `KafkaTimeoutError` while it cannot be made durable; may then be repeated."""
        deadline = time.monotonic() + CALL_SECONDS
        while True:
            try:
                self._settle()
                places = {
                    each: self._places[each].acknowledge(found)
                    for stream, found in offsets.items()
                    if (each := TopicPartition(self._topic, stream)) in self._places
                }
                self._commit(places)
            except REBALANCED as error:
                if time.monotonic() > deadline:
                    raise KafkaTimeoutError(f"the group does not come to rest: {error}") from error
                self.keep()
                continue
            self._places |= places
            if lost := set(offsets) - {each.partition for each in places}:
                log.warning("acknowledged_too_late", topic=self._topic, streams=sorted(lost), group=self._group)
            return

    def rewind(self) -> None:
        self._settle()
        for each in self._opened().assignment() & set(self._places):
            self._places[each] = self._places[each].rewound()
            self._opened().seek(each, self._places[each].next)

    def _given(self, polled: Mapping[Any, Sequence[Any]]) -> list[Record]:
        """The records that are to be delivered, once it is written down that they were."""
        before = {each: self._places[each] for each in polled if each in self._places}
        places = {each: place.give([found.offset for found in polled[each]]) for each, place in before.items()}
        self._commit(places)
        self._places |= places
        return [
            record_of(found, places[each].times_given(found.offset))
            for each in places
            for found in polled[each]
            if not before[each].is_acknowledged(found.offset)
        ]

    def _put_back(self, polled: Mapping[Any, Sequence[Any]]) -> None:
        client = self._opened()
        for each in set(polled) & client.assignment() & set(self._places):
            client.seek(each, self._places[each].position)

    def _commit(self, places: Mapping[Any, Place]) -> None:
        if places:
            offsets = {each: OffsetAndMetadata(place.next, place.stored(), -1) for each, place in places.items()}
            self._opened().commit(offsets, timeout_ms=_MS)
