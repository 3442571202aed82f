"""Bodies of playing: the stream's addresses, and progress. Positions and durations are seconds."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from api.wire import Input, MovieId, Output

MAX_POSITION_SECONDS = 7 * 24 * 3600.0
MAX_AGE_MS = 365 * 24 * 3600 * 1000


class Stream(Output, frozen=True, kw_only=True):
    """Everything below `stream_url` and `dash_url` is readable until `expires_at`; images need no token.

    Each answer begins a playback session, unless the request names one that goes on.
    """

    movie_id: str
    title: str
    stream_url: str
    dash_url: str
    poster_url: str | None
    sprite_vtt_url: str | None
    resume_position_seconds: float
    duration_seconds: float
    expires_at: datetime
    session_id: str
    """Of this playback session. Everything that is told of it has this id."""
    telemetry_url: str | None
    """Where the player posts its events, without a login. None: this session is not part of the sample."""


class Progress(Input, frozen=True, kw_only=True):
    """Where the viewer is. Post it every 4 s, on pause and when the page is hidden (`fetch` with `keepalive`)."""

    movie_id: MovieId
    position_seconds: Annotated[float, Meta(ge=0, le=MAX_POSITION_SECONDS)]
    age_ms: Annotated[int, Meta(ge=0, le=MAX_AGE_MS)] = 0
    """How long ago the viewer was there, by the client's monotonic clock.

    The newest event wins, in any order of arrival.
    """
