"""What a player's CMCD version 2 reports (CTA-5004-B, event mode) mean as viewing events. Pure: no clock, no store.

A report says the player's state at a time; what happened lies between two of them. So a session has a `PlayerState`, and
`next_state` gives the state after a report, with the events that the report ends or begins. A wait after a seek belongs to the
seek: rebuffering leaves it out (CTA-2066). Watched time is the time between reports while the state was `playing`, at the
playback rate.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from marquee.events.viewing import EventKind

MAX_SILENT_MS: Final = 120_000
"""Of a player that sends interval reports, every 30 s by default: in a longer silence the device slept, and nobody watched."""
MAX_SHOWN_MS: Final = 6 * 3_600_000
"""Of a player that reports changes of its state only."""
MAX_LATE_MS: Final = 600_000
"""A report that is older than the last one by up to so much came late, or again. A larger step is a clock that was set back."""
FATAL: Final = "fatal"
"""The code of a fatal error that the player does not name."""
OBJECT_KINDS: Final = {
    "m": "manifest",
    "v": "video",
    "av": "video",
    "a": "audio",
    "i": "init",
    "c": "text",
    "tt": "text",
}


class CmcdReport(NamedTuple):
    """One line of a report, of the keys that count. `at_ms`: `ts` by the server's clock. The field names are CMCD's keys."""

    at_ms: int
    e: str
    ts: int | None = None
    sta: str | None = None
    br: int | None = None
    bl: int | None = None
    mtp: int | None = None
    pt: int | None = None
    pr: float | None = None
    msd: int | None = None
    bsd: int | None = None
    dfa: int | None = None
    ec: str | None = None
    ot: str | None = None
    rc: int | None = None
    ttlb: int | None = None


class PlayerEvent(NamedTuple):
    """What happened, with the fields of `ViewingEvent` that it has beside those of every event."""

    kind: EventKind
    at_ms: int
    fields: dict[str, Any]


@dataclass(frozen=True)
class PlayerState:
    """What is known of a player after its last report. Times are Unix milliseconds by the server's clock."""

    sta: str | None = None
    at_ms: int = 0
    ts: int | None = None
    """Of the newest report, by the player's clock."""
    attempt_ms: int | None = None
    is_shown: bool = False
    """The first frame was there."""
    is_paused: bool = False
    stall_ms: int | None = None
    """When the stall began that has not ended."""
    seek_ms: int | None = None
    fatal_ms: int | None = None
    unsaid_ms: float = 0.0
    """Watched, and not yet in an event."""
    rate: float = 1.0
    dropped: int = 0
    has_intervals: bool = False
    tells_stalls: bool = False
    """It reports the state `rebuffering`: the sums of `bsd` are then the same stalls."""


def next_state(state: PlayerState, report: CmcdReport) -> tuple[PlayerState, list[PlayerEvent]]:
    """The state after the report, and the events that it tells of, in order.

    A report that is older than the last one tells of no state: what came after that state is known already.
    """
    events: list[PlayerEvent] = []
    if report.ts is not None and state.ts is not None and 0 < state.ts - report.ts <= MAX_LATE_MS:
        return _told(state, report, report.at_ms, events), events
    state = replace(state, ts=report.ts if report.ts is not None else state.ts)
    at_ms = max(report.at_ms, state.at_ms)
    if state.sta == "p":
        bound = MAX_SILENT_MS if state.has_intervals else MAX_SHOWN_MS
        state = replace(state, unsaid_ms=state.unsaid_ms + min(at_ms - state.at_ms, bound) * state.rate)
    if report.pr is not None:
        state = replace(state, rate=report.pr)
    state = replace(state, at_ms=at_ms, has_intervals=state.has_intervals or report.e == "t")
    if report.sta is not None and report.sta != state.sta:
        state = _moved(state, report, at_ms, events)
    state = _told(state, report, at_ms, events)
    return state, events


def _moved(state: PlayerState, report: CmcdReport, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    """The player's state is another than before."""
    before, now = state.sta, report.sta
    state = replace(state, sta=now)
    if before == "p" and now not in ("e", "q"):
        state = _said(state, "heartbeat", at_ms, events)
    if now == "s" and state.attempt_ms is None:
        state = _attempted(state, at_ms, events)
    elif now == "p":
        state = _plays(state, report, at_ms, events)
    elif now == "k" and state.is_shown:
        state = _stall_ended(state, at_ms, events)
        state = replace(state, seek_ms=at_ms if state.seek_ms is None else state.seek_ms)
    elif now == "r":
        state = replace(state, tells_stalls=True)
        if state.is_shown and state.seek_ms is None and state.stall_ms is None:
            events.append(PlayerEvent("stall_begin", at_ms, {}))
            state = replace(state, stall_ms=at_ms)
    elif now == "a" and state.is_shown:
        state = _seek_ended(_stall_ended(state, at_ms, events), at_ms, events)
        if not state.is_paused:
            events.append(PlayerEvent("pause", at_ms, {}))
        state = replace(state, is_paused=True)
    elif now in ("e", "q"):
        state = _said(_stall_ended(state, at_ms, events), "exit", at_ms, events)
    elif now == "f":
        state = _stall_ended(state, at_ms, events)
        if report.e != "e":
            events.append(_error(report, at_ms, is_fatal=True))
        state = replace(state, fatal_ms=at_ms)
    return state


def _plays(state: PlayerState, report: CmcdReport, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    if not state.is_shown:
        waited = report.msd
        if waited is None and state.attempt_ms is not None:
            waited = at_ms - state.attempt_ms
        if state.attempt_ms is None:
            state = _attempted(state, at_ms - (report.msd or 0), events)
        # Neither the player nor an earlier report says how long the start took: no duration, not 0 s.
        events.append(PlayerEvent("first_frame", at_ms, {} if waited is None else {"duration_ms": waited}))
    elif state.stall_ms is not None:
        state = _stall_ended(state, at_ms, events)
    elif state.seek_ms is not None:
        state = _seek_ended(state, at_ms, events)
    elif state.is_paused or state.fatal_ms is not None:
        events.append(PlayerEvent("play", at_ms, {}))
    return replace(state, is_shown=True, is_paused=False, fatal_ms=None)


def _told(state: PlayerState, report: CmcdReport, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    """What the report says by its event, and by keys that are no state."""
    if report.e == "e":
        # The error's own report names the cause: it comes before the one that only said that the state is fatal.
        is_fatal = state.sta == "f"
        when = min(at_ms, state.fatal_ms) - 1 if is_fatal and state.fatal_ms is not None else at_ms
        events.append(_error(report, when, is_fatal=is_fatal))
    elif report.e == "bc" and report.br is not None and report.ot != "a":
        events.append(PlayerEvent("rendition", at_ms, {"kbps": report.br}))
    elif report.e == "t" and state.is_shown and state.sta in ("p", "r", "a", "k"):
        state = _said(state, "heartbeat", at_ms, events)
    elif report.e == "rr":
        kind = OBJECT_KINDS.get(report.ot or "", "other")
        events.append(
            PlayerEvent("request", at_ms, {"object_kind": kind, "status": report.rc or None, "request_ms": report.ttlb})
        )
    if report.bsd is not None and not state.tells_stalls:
        events.append(PlayerEvent("stall_end", at_ms, {"duration_ms": report.bsd}))
    if report.dfa is not None and report.dfa != state.dropped:
        # Less than before: the player began to count anew.
        count = report.dfa - state.dropped if report.dfa > state.dropped else report.dfa
        events.append(PlayerEvent("dropped_frames", at_ms, {"count": count}))
        state = replace(state, dropped=report.dfa)
    return state


def _attempted(state: PlayerState, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    events.append(PlayerEvent("attempt", at_ms, {}))
    return replace(state, attempt_ms=at_ms)


def _said(state: PlayerState, kind: EventKind, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    """An event that says what was watched since the last one."""
    events.append(PlayerEvent(kind, at_ms, {"watched_ms": round(state.unsaid_ms)}))
    return replace(state, unsaid_ms=0.0)


def _stall_ended(state: PlayerState, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    if state.stall_ms is None:
        return state
    events.append(PlayerEvent("stall_end", at_ms, {"duration_ms": at_ms - state.stall_ms}))
    return replace(state, stall_ms=None)


def _seek_ended(state: PlayerState, at_ms: int, events: list[PlayerEvent]) -> PlayerState:
    if state.seek_ms is None:
        return state
    events.append(PlayerEvent("seek", at_ms, {"duration_ms": at_ms - state.seek_ms}))
    return replace(state, seek_ms=None)


def _error(report: CmcdReport, at_ms: int, *, is_fatal: bool) -> PlayerEvent:
    code = report.ec or (FATAL if is_fatal else "unknown")
    return PlayerEvent("error", at_ms, {"error_code": code, "is_fatal": is_fatal})
