"""Accepts what players tell of their sessions. Accepted means durable on the event log.

A report is taken whole or not at all. Its publishing goes through a bulkhead of its own: while the event log is down, reports are
answered with 503 at once, after the first few, and no other request waits for them. Who is told: `/metrics` counts what was
accepted and what was refused, by reason; the log has a line a minute at most.
"""

import time
from collections.abc import Sequence
from typing import Final

import msgspec
from cachetools import LRUCache
from prometheus_client import Counter
from purgatory import AsyncCircuitBreakerFactory

from api.rows.bulkhead import Bulkhead
from api.telemetry.cmcd_events import told_by_lines
from api.telemetry.cmcd_text import lines_of, read_lines
from api.telemetry.events import check_fields, viewing_events
from api.telemetry.known_sessions import KnownSession, KnownSessions, count_watched, offset_of
from api.telemetry.schemas import TelemetryBatch
from marquee.domain.device_class import device_class
from marquee.domain.ids import made_at_ms
from marquee.domain.telemetry import most_watched_ms
from marquee.errors import MarqueeError, StoreUnavailable
from marquee.events import VIEWING_EVENTS, ViewingEvent
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog
from marquee.telemetry_token import TelemetrySession, TelemetryTokens, check_life

CONCURRENCY: Final = 32
"""Batches of one process on their way to the event log. The engine writes what comes at once with one flush."""
TIMEOUT_SECONDS: Final = 2.0
"""Less than a request has: the answer is a 503 with its reason."""
CACHED_TOKENS: Final = 20_000
CHARACTERS_PER_EVENT: Final = 300
"""Of a CMCD report. A player's line has about 200 characters, and reading 300 costs 0.2 ms."""
LOG_SECONDS: Final = 60.0

ACCEPTED: Final = Counter(
    "marquee_api_telemetry_events_accepted", "Events of players that are durable on the event log.", ["source"]
)
WATCHED_LEFT_OUT: Final = Counter(
    "marquee_api_telemetry_watched_left_out_seconds",
    "Watched time of reports that was left out: more than a player can have shown since its session began.",
)
REFUSED: Final = Counter("marquee_api_telemetry_reports_refused", "Reports of players that were refused.", ["code"])

log = get_logger()


class TelemetryService:
    """What `/telemetry` does."""

    def __init__(self, event_log: EventLog, breakers: AsyncCircuitBreakerFactory, settings: Settings) -> None:
        self._event_log = event_log
        self._bulkhead = Bulkhead("The event log", breakers, concurrency=CONCURRENCY, timeout_seconds=TIMEOUT_SECONDS)
        self._tokens = TelemetryTokens(settings)
        self._read: LRUCache[str, TelemetrySession] = LRUCache(CACHED_TOKENS)
        self._known = KnownSessions(per_minute=settings.telemetry_events_per_minute)
        self._edges = frozenset(edge.rstrip("/") for edge in settings.edges)
        self._encoder = msgspec.json.Encoder()
        self._logged_at = -LOG_SECONDS

    def session_of(self, token: str) -> TelemetrySession:
        """The session of a telemetry URL's token. Raises `TelemetryUrlInvalid`, `TelemetryUrlExpired`."""
        now = time.time()
        session = self._read.get(token)
        if session is None:
            session = self._read[token] = self._tokens.read(token, now=now)
        check_life(session, now=now)
        return session

    async def accept(self, session: TelemetrySession, report: TelemetryBatch | str, user_agent: str | None) -> None:
        """Take a report whole. Its events are durable when this returns.

        Raises `InputInvalid`, `TooManyRequests`, `StoreUnavailable`.
        """
        known = self._known.of(session.session_id)
        if isinstance(report, str):
            await self._accept_cmcd(session, known, report, user_agent)
            return
        received_ms = time.time_ns() // 1_000_000
        check_fields(report.events)
        self._known.spend(known, len(report.events))
        events = viewing_events(
            report,
            session,
            offset_ms=offset_of(known, report.sent_ms, received_ms),
            received_ms=received_ms,
            device=device_class(user_agent),
            edges=self._edges,
        )
        await self._publish(session, known, events, spent=len(events))

    async def _accept_cmcd(
        self, session: TelemetrySession, known: KnownSession, text: str, user_agent: str | None
    ) -> None:
        lines = lines_of(text)
        # Before the lines are read, and by their length too: reading costs most.
        spent = max(len(lines), len(text) // CHARACTERS_PER_EVENT)
        self._known.spend(known, spent)
        read = read_lines(lines)
        async with known.turn:
            received_ms = time.time_ns() // 1_000_000
            told = told_by_lines(read, known, session, received_ms=received_ms, device=device_class(user_agent))
            await self._publish(session, known, told.events, spent=spent)
            known.players = told.players

    async def _publish(
        self, session: TelemetrySession, known: KnownSession, events: Sequence[ViewingEvent], *, spent: int
    ) -> None:
        if not events:
            return  # A CMCD report of which nothing is an event.
        most_ms = most_watched_ms(made_at_ms(session.session_id), events[0].received_at_ms)
        events, counted_ms, left_out_ms = count_watched(known, events, most_ms)
        try:
            await self.publish(session.session_id, events)
        except BaseException:
            self._known.give_back(known, spent)
            known.watched_ms -= counted_ms
            raise
        WATCHED_LEFT_OUT.inc(left_out_ms / 1000)
        ACCEPTED.labels(events[0].source).inc(len(events))

    async def publish(self, key: str, events: Sequence[ViewingEvent]) -> None:
        """Append the events. Durable when it returns. Raises `StoreUnavailable`, soon after an outage has begun."""
        records = [(key, self._encoder.encode(event)) for event in events]
        try:
            await self._bulkhead.call(lambda: self._event_log.publish_many(VIEWING_EVENTS, records))
        except StoreUnavailable as error:
            self._log_outage(error)
            raise

    def count_refusal(self, error: MarqueeError) -> None:
        REFUSED.labels(error.code).inc()

    def _log_outage(self, error: StoreUnavailable) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            log.warning("reports of players are refused: the event log does not take them", reason=error.detail)
