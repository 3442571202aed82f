"""A client's batch as viewing events. Who and which title come from the token, the time from the server's clock."""

from collections.abc import Container, Sequence
from operator import attrgetter
from typing import Any, Final, get_args

from api.telemetry.schemas import TelemetryBatch, TelemetryEvent
from marquee.domain.ids import made_at_ms
from marquee.domain.telemetry import FIELD_KINDS, NEEDED_FIELDS, ClientEventKind, happened_at_ms
from marquee.errors import InputInvalid
from marquee.events.viewing import ViewingEvent
from marquee.telemetry_token import TelemetrySession

_FOREIGN_FIELDS: Final = {
    kind: tuple(field for field, kinds in FIELD_KINDS.items() if kind not in kinds)
    for kind in get_args(ClientEventKind)
}
"""Kind -> fields that it never has."""
# Two names at least, so that the getter gives a tuple.
_GET_NEEDED: Final = {kind: attrgetter("seq", *fields) for kind, fields in NEEDED_FIELDS.items()}
_GET_FOREIGN: Final = {kind: attrgetter(*fields) for kind, fields in _FOREIGN_FIELDS.items()}
_NOTHING: Final[dict[str, tuple[Any, ...]]] = {kind: (None,) * len(fields) for kind, fields in _FOREIGN_FIELDS.items()}


def check_fields(events: Sequence[TelemetryEvent]) -> None:
    """Raises `InputInvalid` for a kind without a field that it needs, or with one that it never has, and for a repeated `seq`."""
    for index, event in enumerate(events):
        kind = event.kind
        if kind in _GET_NEEDED and None in _GET_NEEDED[kind](event):
            missing = next(field for field in NEEDED_FIELDS[kind] if getattr(event, field) is None)
            raise InputInvalid(f"events[{index}]: an event {kind} needs {missing}.", field=f"events[{index}].{missing}")
        if _GET_FOREIGN[kind](event) != _NOTHING[kind]:
            foreign = next(field for field in _FOREIGN_FIELDS[kind] if getattr(event, field) is not None)
            raise InputInvalid(
                f"events[{index}]: an event {kind} has no {foreign}; {' and '.join(FIELD_KINDS[foreign])} have.",
                field=f"events[{index}].{foreign}",
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
    edge = batch.edge.rstrip("/") if batch.edge is not None else None
    edge = edge if edge in edges else None
    of_session = session.event_fields
    return [
        ViewingEvent(
            event_id=f"{session.session_id}:{event.seq}",
            kind=event.kind,
            source="client",
            at_ms=happened_at_ms(event.at_ms, offset_ms, began_ms=began_ms, received_ms=received_ms),
            received_at_ms=received_ms,
            seq=event.seq,
            device=device,
            player=batch.player,
            edge=edge,
            position_seconds=event.position_seconds,
            duration_ms=event.duration_ms,
            watched_ms=event.watched_ms,
            height=event.height,
            kbps=event.kbps,
            count=event.count,
            error_code=event.error_code,
            is_fatal=event.is_fatal,
            throughput_kbps=event.throughput_kbps,
            buffer_ms=event.buffer_ms,
            **of_session,
        )
        for event in batch.events
    ]
