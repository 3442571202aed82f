"""A record as an entry of a Valkey stream: the stream's key, and the entry's fields (see `log`)."""

from collections.abc import Mapping

import msgspec

from marquee.stores.event_log.contract import Record


def stream_key(topic: str, stream: int) -> str:
    return f"log:{topic}:{stream}"


def record_of(topic: str, stream: int, position: bytes, fields: Mapping[bytes, bytes], deliveries: int = 1) -> Record:
    packed = fields.get(b"h")
    return Record(
        topic=topic,
        stream=stream,
        position=position.decode(),
        key=fields[b"k"].decode(),
        value=fields[b"v"],
        published_at_ms=int(position.split(b"-")[0]),
        headers=msgspec.json.decode(packed, type=dict[str, str]) if packed else {},
        deliveries=deliveries,
    )


def order(position: str) -> tuple[int, int]:
    """An entry's id as a sort key: milliseconds, then the sequence number."""
    milliseconds, sequence = position.split("-")
    return int(milliseconds), int(sequence)
