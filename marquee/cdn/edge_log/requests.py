"""A line of an edge's log as a `ViewingEvent`. Writes nothing, reads nothing.

The line is the edge's own and names no viewer but by the signed playback session. Its times are the edge's clock. A line that is
no such object is damaged: a kill of the edge can tear its last one.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from marquee.domain.telemetry import MAX_DURATION_MS
from marquee.events import ViewingEvent

Count = Annotated[int, Meta(ge=0)]
_START: Final = b'{"id":'


class LoggedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line, as `deploy/templates/nginx/edge_log.conf.jinja` writes it.

    `ended_at`: Unix seconds of the answer's end. `seconds`: from the request to that end.
    """

    id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    ended_at: Annotated[float, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0)]
    session_id: Annotated[str, Meta(pattern="^v_[0-9a-v]{20}$")]
    movie_id: Annotated[str, Meta(pattern="^m_[a-z0-9]{1,40}$")]
    version: Annotated[str, Meta(pattern="^v[0-9]{1,9}$")]
    object_kind: Literal["manifest", "video", "audio", "text", "init", "other"]
    height: Count | None
    status: Count
    sent_bytes: Count
    cache: Annotated[str, Meta(max_length=16)]
    kbps: Count | None
    duration_ms: Count | None
    buffer_ms: Count | None
    throughput_kbps: Count | None
    is_starved: bool | None


_decoder: Final = msgspec.json.Decoder(LoggedRequest)


def read_request(line: bytes) -> LoggedRequest | None:
    """The request of a line, None for a damaged line. A line that follows a torn one without a line's end is found in it."""
    try:
        return _decoder.decode(line[max(0, line.rfind(_START)) :])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _possible(duration_ms: int | None) -> int | None:
    """None for a duration that no object has: a player states it in its address, and may state anything."""
    return None if duration_ms is None or duration_ms > MAX_DURATION_MS else duration_ms


def event_of(request: LoggedRequest, *, edge: str) -> ViewingEvent:
    """`edge`: the edge's public address. The event's time is that at which the request came."""
    ended_ms = round(1000 * request.ended_at)
    request_ms = round(1000 * request.seconds)
    return ViewingEvent(
        event_id=f"e_{request.id}",
        kind="request",
        source="edge",
        at_ms=ended_ms - request_ms,
        received_at_ms=ended_ms,
        session_id=request.session_id,
        movie_id=request.movie_id,
        version=int(request.version[1:]),
        edge=edge,
        height=request.height,
        kbps=request.kbps,
        duration_ms=_possible(request.duration_ms),
        object_kind=request.object_kind,
        status=request.status,
        sent_bytes=request.sent_bytes,
        request_ms=request_ms,
        cache=request.cache or None,
        throughput_kbps=request.throughput_kbps,
        buffer_ms=request.buffer_ms,
        is_starved=request.is_starved,
    )
