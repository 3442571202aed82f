"""A client's batch as viewing events. Who and which title come from the token, the time from the server's clock."""

from collections.abc import Container, Sequence
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

from api.telemetry.schemas import TelemetryBatch, TelemetryEvent
from marquee.domain.ids import made_at_ms
from marquee.domain.telemetry import FIELD_KINDS, NEEDED_FIELDS, happened_at_ms
from marquee.errors import InputInvalid
from marquee.events.viewing import ViewingEvent
from marquee.telemetry_token import TelemetrySession

_LIMITED: Final = tuple((field, frozenset(kinds)) for field, kinds in FIELD_KINDS.items())


Value = TypeVar("Value")


def check_fields(events: Sequence[TelemetryEvent]) -> None:
    """Raises `InputInvalid` for a kind without a field that it needs, or with one that it never has, and for a repeated `seq`."""
    for index, event in enumerate(events):
        for field in NEEDED_FIELDS.get(event.kind, ()):
            if getattr(event, field) is UNSET:
                raise InputInvalid(
                    f"events[{index}]: an event {event.kind} needs {field}.", field=f"events[{index}].{field}"
                )
        for field, kinds in _LIMITED:
            if event.kind not in kinds and getattr(event, field) is not UNSET:
                raise InputInvalid(
                    f"events[{index}]: an event {event.kind} has no {field}; {' and '.join(FIELD_KINDS[field])} have.",
                    field=f"events[{index}].{field}",
                )
    if len({event.seq for event in events}) < len(events):
        raise InputInvalid("Two events of the batch have one seq: count each event of a session once.", field="events")


def viewing_events(
    batch: TelemetryBatch,
    session: TelemetrySession,
    *,
    offset_ms: int,
    received_ms: int,
    device: str,
    edges: Container[str],
) -> list[ViewingEvent]:
    """The batch's events. `edges`: the platform's addresses; any other edge is left out."""
    began_ms = made_at_ms(session.session_id)
    stated_edge = _set(batch.edge)
    edge = stated_edge.rstrip("/") if stated_edge is not None else None
    player = _set(batch.player)
    return [
        ViewingEvent(
            event_id=f"{session.session_id}:{event.seq}",
            kind=event.kind,
            source="client",
            at_ms=happened_at_ms(event.at_ms, offset_ms, began_ms=began_ms, received_ms=received_ms),
            received_at_ms=received_ms,
            session_id=session.session_id,
            profile_id=session.profile_id,
            movie_id=session.movie_id,
            version=session.version,
            is_preview=session.is_preview,
            device=device,
            player=player,
            edge=edge if edge in edges else None,
            position_seconds=_set(event.position_seconds),
            duration_ms=_set(event.duration_ms),
            watched_ms=_set(event.watched_ms),
            height=_set(event.height),
            kbps=_set(event.kbps),
            count=_set(event.count),
            error_code=_set(event.error_code),
            is_fatal=_set(event.is_fatal),
            throughput_kbps=_set(event.throughput_kbps),
            buffer_ms=_set(event.buffer_ms),
        )
        for event in batch.events
    ]


def _set(value: Value | UnsetType) -> Value | None:
    return None if isinstance(value, UnsetType) else value
