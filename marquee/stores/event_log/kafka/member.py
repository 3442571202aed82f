"""A member of a consumer group: which streams it owns, which records it gives out, what it commits. Used in one thread.

Kafka deals the streams out, and fences a member that was silent for longer than its lease. Before the member gives records out,
it commits the place of their stream with the count of deliveries: a fenced member fails at that commit and gives nothing.
Acknowledging commits the new place (`place`).

After each rebalance the member reads what is committed for its streams. Where that is what this member wrote last, nobody
else was given a record: the member goes on where it was, and what its caller holds does not come again. Any other stream
begins at its committed place; for a new group that is the oldest record, committed at once, so that trimming knows of the
group. The group's generation cannot tell this: a member can miss one.

Between two fetches `keep` takes part in rebalances and fetches nothing. So the group need not wait for a slow handler.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import MemberState

from marquee.logs import get_logger
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.kafka.clients import LEAVING_SECONDS, KafkaOptions, join_group
from marquee.stores.event_log.kafka.ended_join import keep_ended_join
from marquee.stores.event_log.kafka.place import Place
from marquee.stores.event_log.kafka.records import record_of

STEP_SECONDS: Final = 0.1
CALL_SECONDS: Final = 2.0
_MS: Final = round(CALL_SECONDS * 1000)
REBALANCED: Final = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)
"""A rebalance is under way, or this member was fenced: after the next join it knows which streams it owns."""

log = get_logger()


class Member:
    """Used in one thread. Other threads may read `unstable_since` (monotonic): None while it is a member and knows its places."""

    def __init__(self, options: KafkaOptions, topic: str, group: str) -> None:
        self._options = options
        self._topic = topic
        self._group = group
        self._client: KafkaConsumer | None = None
        self._places: dict[Any, Place] = {}
        self._membership = ("", -1)
        """Member id and generation for which `_places` was last brought up to date."""
        self._asked_as = ("", -1)
        """Member id and generation for which the committed places were last asked for."""
        self._left = False
        self.unstable_since: float | None = time.monotonic()

    # --- membership --------------------------------------------------------------------------------------
    def join(self, seconds: float) -> bool:
        """Try for so long at most. Whether it is a member now and knows the places of its streams."""
        deadline = time.monotonic() + seconds
        while self.unstable_since is not None and time.monotonic() < deadline:
            self.keep()
        return self.unstable_since is None

    def keep(self) -> None:
        """Stay a member, or become one."""
        # The coordinator is private to the client, but the client's own poll would fetch too. Pausing the partitions is no way
        # out: after two of them are resumed, the client may keep for ever what it had fetched for them.
        seconds = 0 if self.unstable_since is None else STEP_SECONDS
        client = self._opened()
        keep_ended_join(client)
        client._coordinator.poll(timeout_ms=round(seconds * 1000))
        with contextlib.suppress(*REBALANCED):  # the rebalance is not over
            self._settle()

    def leave(self) -> None:
        """Leave for good; may be called from any thread. Every later call but this one raises `IllegalStateError`."""
        self._left = True
        client, self._client = self._client, None
        if client is not None:
            client.close(autocommit=False, timeout_ms=LEAVING_SECONDS * 1000)

    def _opened(self) -> KafkaConsumer:
        if self._client is None and not self._left:
            self._client = join_group(self._options, self._group)
            self._client.subscribe([self._topic])
        client = self._client
        if self._left or client is None:
            self.leave()  # closes a client that was opened while another thread left
            raise IllegalStateError("the consumer was closed")
        if self.unstable_since is not None and not client.partitions_for_topic(self._topic):
            # A first poll can hang if the client joins before it knows the topic's partitions.
            raise KafkaTimeoutError(f"nothing is known of {self._topic} yet")
        return client

    def _settle(self) -> bool:
        """Bring the places up to date. True after a rebalance: the client reads on at the places, so drop what was polled."""
        client = self._opened()
        now = client.group_metadata()
        if now.state != MemberState.STABLE:
            self.unstable_since = self.unstable_since or time.monotonic()
            return False
        membership = (now.member_id, now.generation_id)
        rebalanced = membership != self._membership
        if rebalanced:
            committed = self._committed(client.assignment(), membership)
            before, self._places = self._places, committed
            for each, place in before.items():
                if each in committed and place.is_stored_as(committed[each]):
                    self._places[each] = place
                else:
                    log.info("stream_given_up", topic=self._topic, stream=each.partition, group=self._group)
            for each, place in self._places.items():
                client.seek(each, place.position)
            self._membership = membership
        self.unstable_since = None
        return rebalanced

    def _committed(self, partitions: Collection[Any], membership: tuple[str, int]) -> dict[Any, Place]:
        """Three requests at most for all partitions: one request for each took HUNG_SECONDS with a slow broker."""
        if not partitions:
            return {}
        coordinator = self._opened()._coordinator
        if membership != self._asked_as:
            # The client keeps an answer that came after the time-out, and returns it at the next call for the same
            # partitions. They may have had another owner since.
            coordinator._offset_fetch_futures.clear()
            self._asked_as = membership
        # Private to the client: its public `committed` takes one partition a call.
        kept = coordinator.fetch_committed_offsets(list(partitions), timeout_ms=_MS)
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
        """The next records; empty if none came for so long."""
        client = self._opened()
        keep_ended_join(client)
        polled = client.poll(timeout_ms=round(seconds * 1000), max_records=limit)
        try:
            return [] if self._settle() else self._given(polled)
        except BaseException as error:
            self._put_back(polled)
            if isinstance(error, REBALANCED):
                return []
            raise

    def acknowledge(self, offsets: Mapping[int, Sequence[int]]) -> None:
        """Offsets by stream. Raises `KafkaTimeoutError` while they cannot be committed; then repeat the call."""
        places = self._commit_settled(
            lambda: {each: self._places[each].acknowledge(offsets[each.partition]) for each in self._owned(offsets)}
        )
        for each, place in places.items():
            if (
                place.position != self._places[each].position
            ):  # acknowledged after a rewind, and before the client read them again
                self._opened().seek(each, place.position)
        self._places |= places
        if lost := set(offsets) - {each.partition for each in places}:
            log.warning("acknowledged_too_late", topic=self._topic, streams=sorted(lost), group=self._group)

    def still_in_hand(self, records: Sequence[Record]) -> list[Record]:
        """Drop the records that will be delivered again, here or at another member, from those of an earlier fetch.

        Raises `KafkaTimeoutError` while the group does not come to rest.
        """
        streams = {record.stream for record in records}
        places = self._commit_settled(lambda: {each: self._places[each] for each in self._owned(streams)})
        return [
            record
            for record in records
            if (place := places.get(TopicPartition(self._topic, record.stream))) is not None
            and int(record.position) < place.position
            and not place.is_acknowledged(int(record.position))
        ]

    def _owned(self, streams: Collection[int]) -> list[Any]:
        return [each for each in self._places if each.partition in streams]

    def _commit_settled(self, places_of: Callable[[], dict[Any, Place]]) -> dict[Any, Place]:
        """Commit the places that `places_of` returns. After a rebalance, ask it again and repeat the commit."""
        deadline = time.monotonic() + CALL_SECONDS
        while True:
            try:
                self._settle()
                places = places_of()
                self._commit(places)
            except REBALANCED as error:
                if time.monotonic() > deadline:
                    raise KafkaTimeoutError(f"the group does not come to rest: {error}") from error
                self.keep()
            else:
                return places

    def rewind(self) -> None:
        self._settle()
        for each in self._opened().assignment() & set(self._places):
            self._places[each] = self._places[each].rewound()
            self._opened().seek(each, self._places[each].next)

    def _given(self, polled: Mapping[Any, Sequence[Any]]) -> list[Record]:
        """Commit that these records are given, then return those that are not acknowledged."""
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
