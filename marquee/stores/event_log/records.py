"""Rules for records that hold on every engine: how large one may be, and the topic and headers of a dead letter."""

from collections.abc import Mapping, Sequence
from typing import Final

from marquee.errors import InputInvalid
from marquee.events import TOPIC_STREAMS
from marquee.stores.event_log.contract import MAX_BATCH_RECORDS, MAX_RECORD_BYTES, Record

MAX_KEY_AND_HEADERS_BYTES: Final = 64_000
DEAD_SUFFIX: Final = ".dead"
MAX_REASON_CHARACTERS: Final = 2000


def check_size(key: str, value: bytes, headers: Mapping[str, str] | None) -> None:
    """Raises `InputInvalid` for a record that is too large."""
    if len(value) > MAX_RECORD_BYTES:
        raise InputInvalid(f"A record holds at most {MAX_RECORD_BYTES} bytes, not {len(value)}.", field="value")
    beside = len(key.encode()) + sum(len(name.encode()) + len(text.encode()) for name, text in (headers or {}).items())
    if beside > MAX_KEY_AND_HEADERS_BYTES:
        raise InputInvalid(f"Key and headers have more than {MAX_KEY_AND_HEADERS_BYTES} bytes.", field="headers")


def check_batch(records: Sequence[tuple[str, bytes]]) -> None:
    """Raises `InputInvalid` for a batch that is too large, or has a record that is."""
    if len(records) > MAX_BATCH_RECORDS:
        raise InputInvalid(f"A batch has at most {MAX_BATCH_RECORDS} records, not {len(records)}.", field="records")
    if (size := sum(len(value) for _, value in records)) > MAX_RECORD_BYTES:
        raise InputInvalid(f"A batch holds at most {MAX_RECORD_BYTES} bytes, not {size}.", field="records")
    for key in {key for key, _ in records}:
        check_size(key, b"", None)


def expected_streams(topic: str) -> int:
    """The number of streams of a topic that is created on first use. Raises `InputInvalid` for an unknown topic."""
    expected = 1 if topic.endswith(DEAD_SUFFIX) else TOPIC_STREAMS.get(topic)
    if expected is None:
        raise InputInvalid(f"The topic {topic!r} does not exist.", field="topic")
    return expected


def dead_headers(record: Record, reason: str) -> dict[str, str]:
    """The headers of a dead letter: those of the record, where the record was, and the reason."""
    return {
        **record.headers,
        "dead-reason": reason[:MAX_REASON_CHARACTERS],
        "dead-topic": record.topic,
        "dead-stream": str(record.stream),
        "dead-position": record.position,
        "dead-deliveries": str(record.deliveries),
    }
