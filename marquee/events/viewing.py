"""What viewers and players do: the record of the topic `viewing-events`, and one row of the lake.

One wide record for every kind of event: a field that a kind does not have is null. The key of the topic is `session_id`, so
that one playback session keeps its order; a search and a publication have their own id as the key. The names are those of
CTA-2066 and Mux Data: an attempt counts when play is asked for; an exit before start is an attempt that ends before the first
frame without a fatal error; with a fatal error it is a start failure; rebuffering leaves out what a seek costs.
"""

from typing import Final, Literal, get_args

import msgspec

EventKind = Literal[
    "stream_started",  # the API: addresses were given out
    "attempt",  # the viewer asked for playing
    "first_frame",  # `duration_ms`: since the attempt
    "pause",
    "play",
    "stall_begin",
    "stall_end",  # `duration_ms`: of the stall
    "seek",  # `duration_ms`: until playing went on; `position_seconds`: where to
    "rendition",  # `height`, `kbps`: what is shown from now on
    "dropped_frames",  # `count`: since the last report
    "error",  # `error_code`, `is_fatal`
    "heartbeat",  # `watched_ms`: of film shown since the last event that says so
    "exit",  # `watched_ms` likewise; the session is over
    "search_asked",  # the API: `query`, `results`
    "search_opened",  # a client: `query`, `place` (from 1) of the title that was opened
    "title_published",  # the chain: `movie_id`, `version`
    "request",  # an edge: one request of a player, with its CMCD fields (`duration_ms` and `kbps`: of what was asked for)
]
EVENT_KINDS: Final = get_args(EventKind)
EventSource = Literal["client", "cmcd", "server", "edge"]


EVENTS_PER_REPORT: Final = 16
"""One CMCD report becomes fewer events."""


class ViewingEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times are Unix milliseconds by the server's clock, positions seconds of the film.

    `event_id` is the same when a client sends the event again: whoever counts, counts it once.
    """

    event_id: str
    kind: EventKind
    source: EventSource
    at_ms: int
    """When it happened: the time of receipt less the age that the client states; never in the future."""
    received_at_ms: int
    seq: int | None = None
    """The order of a player's events with one `at_ms`: the client's `seq`, CMCD `sn` x `EVENTS_PER_REPORT` + the event's number
    in its report. Only compared within a session and a source. None: not known, before the others."""
    session_id: str | None = None
    profile_id: str | None = None
    movie_id: str | None = None
    version: int | None = None
    is_preview: bool = False
    """An engineer looks at a title: counted nowhere among viewers."""
    device: str | None = None
    """`phone`, `tablet`, `desktop`, `tv`, `robot`, `other`."""
    player: str | None = None
    edge: str | None = None
    """The edge's public address."""
    position_seconds: float | None = None
    duration_ms: int | None = None
    watched_ms: int | None = None
    height: int | None = None
    kbps: int | None = None
    count: int | None = None
    error_code: str | None = None
    is_fatal: bool | None = None
    query: str | None = None
    results: int | None = None
    place: int | None = None
    object_kind: str | None = None
    """Of an edge's request: `manifest`, `video`, `audio`, `text`, `init`, `other`."""
    status: int | None = None
    sent_bytes: int | None = None
    request_ms: int | None = None
    cache: str | None = None
    """`HIT`, `MISS`, `EXPIRED` and so on, as nginx says it."""
    throughput_kbps: int | None = None
    """CMCD `mtp`."""
    buffer_ms: int | None = None
    """CMCD `bl`."""
    is_starved: bool | None = None
    """CMCD `bs`: playing stopped for want of data since the player's last request."""


def title_published(movie_id: str, version: int, *, at_ms: int) -> ViewingEvent:
    """A version became playable. `at_ms`: Unix milliseconds. The same version again is the same event."""
    return ViewingEvent(
        event_id=f"{movie_id}:v{version}:published",
        kind="title_published",
        source="server",
        at_ms=at_ms,
        received_at_ms=at_ms,
        movie_id=movie_id,
        version=version,
    )
