"""Kafka's records as ours, and the cursor of a reader without a group: `stream:next offset,...`."""

import re
from collections.abc import Mapping
from typing import Any, Final

from marquee.errors import CursorInvalid
from marquee.stores.event_log.contract import Record

_CURSOR: Final = re.compile(r"[0-9]{1,6}:[0-9]{1,18}(,[0-9]{1,6}:[0-9]{1,18})*")


def record_of(found: Any, deliveries: int = 1) -> Record:
    """From the client's `ConsumerRecord`, whichever program wrote it: a missing key, value or header value is read as empty."""
    return Record(
        topic=found.topic,
        stream=found.partition,
        position=str(found.offset),
        key=(found.key or b"").decode(errors="replace"),
        value=found.value or b"",
        published_at_ms=found.timestamp,
        headers={name: (text or b"").decode(errors="replace") for name, text in found.headers},
        deliveries=deliveries,
    )


def parse_cursor(cursor: str | None) -> dict[int, int]:
    """The next offset by stream. A stream that the cursor does not name begins with its oldest record. Raises `CursorInvalid`."""
    if not cursor:
        return {}
    if not _CURSOR.fullmatch(cursor):
        raise CursorInvalid("The cursor is not one of this topic's.", field="cursor")
    return {int(stream): int(offset) for stream, offset in (each.split(":") for each in cursor.split(","))}


def write_cursor(places: Mapping[int, int]) -> str:
    return ",".join(f"{stream}:{offset}" for stream, offset in sorted(places.items()))
