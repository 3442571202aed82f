"""Appending to Kafka: one producer a process, acknowledged by every replica in sync, at most PUBLISHES records under way.

The producer outlasts a broker by itself: it sends again, in order, and the broker knows what it has already (unless acks is
1). A producer that lost its sequence, or was refused for good, is replaced, and the record sent by the next one, which may
store it twice, as at-least-once allows. A record that was given up may still be stored later.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import (
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
    UnknownProducerIdError,
)

from marquee.stores.event_log import kafka_clients
from marquee.stores.event_log.kafka_clients import KafkaOptions, outlast, produce
from marquee.stores.event_log.kafka_threads import Blocking, close_aside

PUBLISHES: Final = 256
"""Each holds at most a record of MAX_RECORD_BYTES; the client itself has no bound."""
CLOSING_SECONDS: Final = 2.0
MENDED_BY_A_NEW_PRODUCER: Final = (
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
    InvalidProducerEpochError,
    ProducerFencedError,
    IllegalStateError,
)


class Publisher:
    def __init__(self, options: KafkaOptions) -> None:
        self._producer: Blocking[KafkaProducer] = Blocking("kafka-publisher", lambda: produce(options), _close)
        self._slots = asyncio.Semaphore(PUBLISHES)

    async def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> Any:
        """The client's `RecordMetadata` of a record that is durable. Raises `StoreUnavailable`."""
        packed = [(name, text.encode()) for name, text in headers.items()]
        async with self._slots:
            return await outlast(
                lambda: self._sent(topic, key.encode(), value, packed), mended=MENDED_BY_A_NEW_PRODUCER
            )

    async def _sent(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        producer, sent = await self._producer.call(
            lambda producer: (producer, producer.send(topic, key=key, value=value, headers=headers))
        )
        try:
            async with asyncio.timeout(kafka_clients.OUTLAST_SECONDS):
                return await _acknowledged(sent)
        except (TimeoutError, KafkaTimeoutError):  # it is still sending, or gave up in time: nothing is wrong with it
            raise
        except Exception:
            await self._producer.renew(producer)
            raise

    async def close(self) -> None:
        await self._producer.close()


def _acknowledged(sent: Any) -> "asyncio.Future[Any]":
    """The client's future, which its own thread settles, as one of the running loop."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)

    def tell(value: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    sent.add_callback(lambda metadata: tell(metadata, None))
    sent.add_errback(lambda error: tell(None, error))
    return answer


def _close(producer: KafkaProducer) -> None:
    try:
        producer.close(timeout=CLOSING_SECONDS)
    except KafkaTimeoutError:
        # What it still holds ends with the delivery time-out, and only then does it let itself be closed.
        close_aside(lambda: producer.close(timeout=kafka_clients.OUTLAST_SECONDS * 2))
