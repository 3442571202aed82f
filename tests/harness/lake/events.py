"""Viewing events for tests: numbered, so that a lost or doubled one is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from marquee.events.viewing import ViewingEvent
from marquee.stores.lake.event_columns import table_of

HOUR = datetime(2026, 11, 30, 13, tzinfo=UTC)


def event(number: int, *, at: datetime = HOUR, profile_id: str | None = "p_1", **fields: Any) -> ViewingEvent:
    at_ms = int(at.timestamp() * 1000)
    return ViewingEvent(
        event_id=f"e_{number}",
        kind=fields.pop("kind", "heartbeat"),
        source="client",
        at_ms=at_ms,
        received_at_ms=at_ms + 5,
        session_id=f"v_{number % 7}",
        profile_id=profile_id,
        movie_id=f"m_{number % 5}",
        watched_ms=10_000,
        **fields,
    )


def encoded(found: ViewingEvent) -> bytes:
    return msgspec.json.encode(found)


def batch(rows: int, *, first: int = 0, profile_id: str | None = "p_1") -> pa.Table:
    return pa.Table.from_batches(
        [
            table_of(
                [
                    event(number, at=HOUR + timedelta(seconds=number), profile_id=profile_id)
                    for number in range(first, first + rows)
                ]
            )
        ]
    )
