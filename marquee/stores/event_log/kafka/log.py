"""The event log on Kafka: a topic is a topic, a stream a partition, a group a consumer group.

Key, value and headers of a record are those of the Kafka message. The murmur2 hash of the key chooses the partition, as in every
Kafka client. The position is the offset. A topic is created when it is first needed: with the partitions that `marquee.events`
names, and the copies that the URL asks for (`clients`). A group's commits hold its place, the count of deliveries, and what is
acknowledged out of order (`place`). Use one group name for one topic: Kafka rebalances all members of a group together,
whichever topics they read.

Broker down: calls are repeated with jitter for OUTLAST_SECONDS, then `StoreUnavailable`. A publish ends within that time plus
one request. Clients connect on first use.
"""

import asyncio
import weakref
from collections.abc import Collection, Mapping, Sequence

from kafka import KafkaAdminClient

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.event_log.contract import Consumer, Record
from marquee.stores.event_log.kafka.clients import administer, in_time, parse_options, translated
from marquee.stores.event_log.kafka.consumer import GroupConsumer
from marquee.stores.event_log.kafka.publisher import Publisher
from marquee.stores.event_log.kafka.reader import Reader
from marquee.stores.event_log.kafka.records import parse_cursor, write_cursor
from marquee.stores.event_log.kafka.threads import Blocking
from marquee.stores.event_log.kafka.topics import (
    count_records,
    count_streams,
    count_unacknowledged,
    make_topic,
    trim,
    trim_to,
)
from marquee.stores.event_log.records import DEAD_SUFFIX, check_batch, check_size, dead_headers, expected_streams


class KafkaEventLog:
    def __init__(self, url: str) -> None:
        self._options = parse_options(url)
        self._publisher = Publisher(self._options)
        self._admin: Blocking[KafkaAdminClient] = Blocking(
            "kafka-admin", lambda: administer(self._options), lambda client: client.close()
        )
        self._reader: Blocking[Reader] = Blocking("kafka-reader", lambda: Reader(self._options), Reader.close)
        self._known: set[str] = set()
        self._consumers: weakref.WeakSet[GroupConsumer] = weakref.WeakSet()
        """Weak references: the task of an open consumer keeps it alive, and a closed consumer disappears."""

    async def ensure_topic(self, topic: str, *, streams: int) -> None:
        if streams < 1:
            raise InputInvalid("A topic has at least one stream.", field="streams")
        await self._admin.outlast(lambda client: make_topic(client, topic, streams, self._options))
        self._known.add(topic)

    async def _ensure_known(self, topic: str) -> None:
        """Create a topic of the platform if it is missing. Raises `InputInvalid` for any other missing topic."""
        if topic not in self._known:
            if await self._admin.outlast(lambda client: count_streams(client, topic)) is None:
                await self.ensure_topic(topic, streams=expected_streams(topic))
            self._known.add(topic)

    async def publish(self, topic: str, key: str, value: bytes, *, headers: Mapping[str, str] | None = None) -> Record:
        check_size(key, value, headers)
        return await self._append(topic, key, value, headers or {})

    async def _append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> Record:
        async with in_time():
            await self._ensure_known(topic)
            appended = await self._publisher.publish(topic, key, value, headers)
        return Record(
            topic=topic,
            stream=appended.partition,
            position=str(appended.offset),
            key=key,
            value=value,
            published_at_ms=appended.timestamp,
            headers=headers,
        )

    async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        check_batch(records)
        async with in_time():
            await self._ensure_known(topic)
            await self._publisher.publish_many(topic, records)

    async def subscribe(self, topic: str, group: str) -> Consumer:
        await self._ensure_known(topic)
        consumer = GroupConsumer(self._options, topic, group, bury=self._bury)
        try:
            await consumer.join()
        except BaseException:
            await consumer.close()
            raise
        self._consumers.add(consumer)
        return consumer

    async def _bury(self, record: Record, reason: str) -> None:
        await self._append(record.topic + DEAD_SUFFIX, record.key, record.value, dead_headers(record, reason))

    async def read(
        self, topic: str, cursor: str | None, *, limit: int = 100, by_time: bool = True
    ) -> tuple[Sequence[Record], str]:
        after = parse_cursor(cursor)
        await self._ensure_known(topic)
        records, places = await self._reader.outlast(lambda reader: reader.read(topic, after, limit, by_time))
        return records, write_cursor(places)

    async def cursor_at(self, topic: str, published_at_ms: int) -> str:
        await self._ensure_known(topic)
        return write_cursor(await self._reader.outlast(lambda reader: reader.places_at(topic, published_at_ms)))

    async def lag(self, topic: str, group: str) -> int:
        await self._ensure_known(topic)
        return await self._admin.outlast(lambda client: count_unacknowledged(client, topic, group))

    async def trim(
        self, topic: str, *, older_than_ms: int, needed_by: Collection[str] = (), read_to: str | None = None
    ) -> int:
        places = None if read_to is None else parse_cursor(read_to)
        await self._ensure_known(topic)
        return await self._admin.outlast(lambda client: trim(client, topic, older_than_ms, needed_by, places))

    async def count(self, topic: str) -> int:
        await self._ensure_known(topic)
        return await self._admin.outlast(lambda client: count_records(client, topic))

    async def trim_to(self, topic: str, *, records: int) -> int:
        await self._ensure_known(topic)
        return await self._admin.outlast(lambda client: trim_to(client, topic, records))

    async def ping(self) -> None:
        try:
            with translated():
                await self._admin.call(lambda client: client.describe_cluster())
        except StoreUnavailable:
            await self._admin.renew()
            raise

    async def close(self) -> None:
        await asyncio.gather(*(consumer.close() for consumer in list(self._consumers)))
        await self._publisher.close()
        await self._reader.close()
        await self._admin.close()
