"""A CMCD report as viewing events: the player's state machine runs over its lines, in the order of their times.

`cid` of a report is the player's own; session, profile and title are the token's. Each `sid` is a player with a state of its own:
a page that is loaded anew, or two players on one address, would else be one that jumps to and fro. A line without one is of the
player that reported last. An event's id is made from its line and its number among the line's events, so a report that is sent
again is the same events. Times: the newest line of a report counts as said now. Lines of one time are read in the order of their
`sn`, without it in that of the report.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from api.telemetry.cmcd_text import CmcdLine
from api.telemetry.known_sessions import KnownSession, offset_of
from marquee.domain.cmcd import PlayerState, next_state
from marquee.domain.ids import made_at_ms
from marquee.domain.telemetry import happened_at_ms
from marquee.events.viewing import EVENTS_PER_REPORT, ViewingEvent
from marquee.telemetry_token import TelemetrySession

MAX_PLAYERS: Final = 4
"""Of a session whose states are kept, those that reported last."""
PLAYERS: Final = {"h": "cmcd-hls", "d": "cmcd-dash"}


class Told(NamedTuple):
    """What a report tells: its events, and the state of each player after it."""

    events: list[ViewingEvent]
    players: dict[str, PlayerState]


def told_by_lines(
    lines: Iterable[CmcdLine], known: KnownSession, session: TelemetrySession, *, received_ms: int, device: str
) -> Told:
    """The events of a report. `known` learns the clock's offset, and not yet the state: the events are not stored."""
    once = list({line.digest: line for line in lines}.values())
    newest = max((line.ts for line in once if line.ts is not None), default=None)
    began_ms = made_at_ms(session.session_id)
    offset_ms = offset_of(known, newest, received_ms) if newest is not None else 0
    players, events = dict(known.players), []
    for place, line in enumerate(sorted(once, key=lambda line: (line.ts or newest or 0, line.sn or 0))):
        at_ms = (
            received_ms
            if line.ts is None
            else happened_at_ms(line.ts, offset_ms, began_ms=began_ms, received_ms=received_ms)
        )
        report = line.report(at_ms)
        player = line.sid or next(reversed(players), "")
        state, happened = next_state(players.pop(player, PlayerState()), report)
        players[player] = state
        common = {
            **session.event_fields,
            "position_seconds": report.pt / 1000 if report.pt is not None else None,
            "kbps": report.br,
            "throughput_kbps": report.mtp,
            "buffer_ms": report.bl,
        }
        events += [
            ViewingEvent(
                event_id=f"{session.session_id}:{line.digest}:{event.kind}:{number}",
                kind=event.kind,
                source="cmcd",
                at_ms=max(began_ms, min(event.at_ms, received_ms)),
                received_at_ms=received_ms,
                seq=(place if line.sn is None else line.sn) * EVENTS_PER_REPORT + min(number, EVENTS_PER_REPORT - 1),
                device=device,
                player=PLAYERS.get(line.sf or "", "cmcd"),
                **{**common, **event.fields},
            )
            for number, event in enumerate(happened)
        ]
    return Told(events, dict(list(players.items())[-MAX_PLAYERS:]))
