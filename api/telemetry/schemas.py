"""The body of `POST /telemetry/{token}`: a batch of a session's events, in the names of CTA-2066 and Mux Data.

Times are milliseconds by any clock of the client that runs evenly (`performance.now()` is best). Positions are seconds of the
film. Null is as good as nothing. The kinds and what their fields mean: `marquee.events.viewing`; which kind has which field:
`marquee.domain.telemetry`.
"""

from typing import Annotated, Final

from msgspec import Meta

from api.wire import END, Input
from marquee.domain.telemetry import (
    MAX_COUNT,
    MAX_DURATION_MS,
    MAX_HEIGHT,
    MAX_KBPS,
    MAX_POSITION_SECONDS,
    MAX_WATCHED_MS,
    ClientEventKind,
)

MAX_EVENTS: Final = 200
MAX_CLOCK_MS: Final = 2.0**53
MAX_SEQUENCE: Final = 2**31 - 1

ClockMs = Annotated[float, Meta(ge=-MAX_CLOCK_MS, le=MAX_CLOCK_MS)]
DurationMs = Annotated[int, Meta(ge=0, le=MAX_DURATION_MS)]
Kbps = Annotated[int, Meta(ge=0, le=MAX_KBPS)]


class TelemetryEvent(Input, frozen=True, kw_only=True, omit_defaults=True):
    """One event. `seq` is counted by the client in its session: the same number again is the same event again."""

    seq: Annotated[int, Meta(ge=0, le=MAX_SEQUENCE)]
    kind: ClientEventKind
    at_ms: ClockMs
    """When it happened, by the clock of `sent_ms`."""
    position_seconds: Annotated[float, Meta(ge=0, le=MAX_POSITION_SECONDS)] | None = None
    duration_ms: DurationMs | None = None
    """Of `first_frame`: since the attempt. Of `stall_end`: of the stall. Of `seek`: until playing went on."""
    watched_ms: Annotated[int, Meta(ge=0, le=MAX_WATCHED_MS)] | None = None
    """Of film that was shown since the last event that says so: of `heartbeat` and `exit`."""
    height: Annotated[int, Meta(ge=0, le=MAX_HEIGHT)] | None = None
    """Lines of the picture that is shown."""
    kbps: Kbps | None = None
    count: Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None = None
    """Of `dropped_frames`: since the last such event."""
    error_code: Annotated[str, Meta(min_length=1, max_length=60, pattern=rf"^[A-Za-z0-9._:/-]+{END}")] | None = None
    is_fatal: bool | None = None
    throughput_kbps: Kbps | None = None
    buffer_ms: DurationMs | None = None


class TelemetryBatch(Input, frozen=True, kw_only=True, omit_defaults=True):
    """Events of one session. Keep them until the answer is 204; then send those that were refused with 429 or 503 again."""

    sent_ms: ClockMs
    """When this request is sent, by the clock of the events' `at_ms`. State it anew when the batch is sent again."""
    player: Annotated[str, Meta(min_length=1, max_length=40, pattern=rf"^[A-Za-z0-9._/-]+{END}")] | None = None
    """The player's name and version, such as `marquee-web/1.2`."""
    edge: Annotated[str, Meta(min_length=1, max_length=200, pattern=rf"^[\x21-\x7e]+{END}")] | None = None
    """The edge that the player reads from: scheme, host and port of its URL. An unknown edge is left out."""
    events: Annotated[list[TelemetryEvent], Meta(min_length=1, max_length=MAX_EVENTS)]
