"""What every engine asks of a record, and what it writes with one that is buried: bounds, `{topic}.dead`, its headers."""

from collections.abc import Mapping
from typing import Final

from marquee.errors import InputInvalid
from marquee.events import TOPIC_STREAMS
from marquee.stores.event_log.contract import MAX_RECORD_BYTES, Record

MAX_KEY_AND_HEADERS_BYTES: Final = 64_000
DEAD_SUFFIX: Final = ".dead"
MAX_REASON_CHARACTERS: Final = 2000


def check_size(key: str, value: bytes, headers: Mapping[str, str] | None) -> None:
    """Raises `InputInvalid` for a record that no engine has to take."""
    if len(value) > MAX_RECORD_BYTES:
        raise InputInvalid(f"A record holds at most {MAX_RECORD_BYTES} bytes, not {len(value)}.", field="value")
    beside = len(key.encode()) + sum(len(name.encode()) + len(text.encode()) for name, text in (headers or {}).items())
    if beside > MAX_KEY_AND_HEADERS_BYTES:
        raise InputInvalid(f"Key and headers have more than {MAX_KEY_AND_HEADERS_BYTES} bytes.", field="headers")


def expected_streams(topic: str) -> int:
    """With how many streams a topic begins that nobody made. Raises `InputInvalid` for one that nobody knows."""
    expected = 1 if topic.endswith(DEAD_SUFFIX) else TOPIC_STREAMS.get(topic)
    if expected is None:
        raise InputInvalid(f"The topic {topic!r} does not exist.", field="topic")
    return expected


def dead_headers(record: Record, reason: str) -> dict[str, str]:
    """A buried record's headers: its own, where it was, and why it is buried."""
    return {
        **record.headers,
        "dead-reason": reason[:MAX_REASON_CHARACTERS],
        "dead-topic": record.topic,
        "dead-stream": str(record.stream),
        "dead-position": record.position,
        "dead-deliveries": str(record.deliveries),
    }
