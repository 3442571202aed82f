"""Appending to Kafka: one producer a process, acknowledged by every replica in sync.

At most `MAX_CONCURRENT_PUBLISHES` calls are under way, each with MAX_RECORD_BYTES at most.

While a broker is away, the producer sends again by itself, in order; the broker drops what it has already (unless acks is 1). A
producer that lost its sequence, or was refused for good, is replaced. The new producer sends the record again, which may store
it twice: at-least-once allows that. A record whose publish failed may still be stored later.

Waiting records go to the producer's thread in batches, and so do the answers on their way back: a hop between threads costs more
than a record.
"""

import asyncio
import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from kafka import KafkaProducer
from kafka.errors import (
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
    UnknownProducerIdError,
)

from marquee.stores.event_log.kafka import clients
from marquee.stores.event_log.kafka.clients import KafkaOptions, outlast, produce
from marquee.stores.event_log.kafka.threads import Blocking, close_aside

MAX_CONCURRENT_PUBLISHES: Final = 256
"""Each holds a record, or a batch, of at most MAX_RECORD_BYTES. The client itself has no bound."""
CLOSING_SECONDS: Final = 2.0
MENDED_BY_A_NEW_PRODUCER: Final = (
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
    InvalidProducerEpochError,
    ProducerFencedError,
    IllegalStateError,
)


class _Waiting(NamedTuple):
    """A record, and the future that its publisher awaits: the client's `RecordMetadata`."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    answer: "asyncio.Future[Any]"


class Publisher:
    def __init__(self, options: KafkaOptions) -> None:
        self._producer: Blocking[KafkaProducer] = Blocking("kafka-publisher", lambda: produce(options), _close)
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_PUBLISHES)
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None
        self._settled: list[tuple[_Waiting, KafkaProducer, Any, BaseException | None]] = []
        self._settling = threading.Lock()
        """Guards `_settled`: the producer's threads fill it, the loop empties it."""
        self._renewing: asyncio.Task[None] | None = None

    async def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> Any:
        """Returns the client's `RecordMetadata` when the record is durable. Raises `StoreUnavailable`.

        The wait for one of the MAX_CONCURRENT_PUBLISHES has no bound here: the caller sets one.
        """
        packed = [(name, text.encode()) for name, text in headers.items()]
        async with self._slots:
            return await outlast(
                lambda: self._sent(topic, key.encode(), value, packed), mended=MENDED_BY_A_NEW_PRODUCER
            )

    async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Returns when all records, (key, value), are durable. Raises `StoreUnavailable`. It waits as `publish` does."""
        packed = [(key.encode(), value) for key, value in records]
        async with self._slots:
            await outlast(lambda: self._all_sent(topic, packed), mended=MENDED_BY_A_NEW_PRODUCER)

    async def _sent(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        return await self._queued(topic, key, value, headers)

    async def _all_sent(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        # The answers of all, though one has failed: else a record of this try could still be under way during the next.
        answers = await asyncio.gather(
            *[self._queued(topic, key, value, []) for key, value in records], return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    def _queued(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> "asyncio.Future[Any]":
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(topic, key, value, headers, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_waiting(), name="kafka-sending")
        return answer

    async def _send_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._producer.call(lambda producer: self._send(producer, batch, loop))  # noqa: B023
            except Exception as error:
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)

    def _send(self, producer: KafkaProducer, batch: Sequence[_Waiting], loop: asyncio.AbstractEventLoop) -> None:
        """Runs in the producer's thread. Raises `KafkaTimeoutError` if the client learns nothing of the topic in time."""

        def tell(waiting: _Waiting, metadata: Any, error: BaseException | None) -> None:
            with self._settling:
                first = not self._settled
                self._settled.append((waiting, producer, metadata, error))
            if first:
                with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits for the answer
                    loop.call_soon_threadsafe(self._settle)

        for waiting in batch:
            sent = producer.send(waiting.topic, key=waiting.key, value=waiting.value, headers=waiting.headers)
            sent.add_callback(lambda metadata, waiting=waiting: tell(waiting, metadata, None))
            sent.add_errback(lambda error, waiting=waiting: tell(waiting, None, error))

    def _settle(self) -> None:
        """Runs in the loop: answer the publishers whose records were acknowledged or failed since the last call."""
        with self._settling:
            settled, self._settled = self._settled, []
        failed = None
        for waiting, producer, metadata, error in settled:
            if error is not None and not isinstance(error, KafkaTimeoutError):  # a time-out does not spoil the producer
                failed = producer
            if waiting.answer.done():
                continue
            if error is None:
                waiting.answer.set_result(metadata)
            else:
                waiting.answer.set_exception(error)
        if failed is not None:
            self._renewing = asyncio.create_task(self._producer.renew(failed), name="kafka-renewing")

    async def close(self) -> None:
        await self._producer.close()


def _close(producer: KafkaProducer) -> None:
    try:
        producer.close(timeout=CLOSING_SECONDS)
    except KafkaTimeoutError:
        # The producer closes only when the delivery time-out has ended the records that it still holds.
        close_aside(lambda: producer.close(timeout=clients.OUTLAST_SECONDS * 2))
