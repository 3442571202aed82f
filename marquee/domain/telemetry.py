"""Rules of telemetry: when an event happened, how many a session may send, which sessions send, which fields a kind has.

Time: a client's clock may be wrong, so only differences of its times count. `sent_ms` of a batch, compared with the time of
receipt, gives the session's offset; an event happened at `at_ms` plus this offset, never before its session began and never in
the future.
"""

import math
import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final, Literal

MAX_LATE_MS: Final = 60_000
"""A batch whose offset is larger by up to so much was late on its way, or is an old one that is sent again. After a larger step
the client's clock was set back, or it stood still while the device slept."""
MAX_QUERY_CHARACTERS: Final = 100
PERSONAL_QUERY: Final = "(personal)"
"""What is kept of a query that holds an e-mail address, or digits as long as a number of a telephone, a card or an account:
people paste such things, and their browsers fill them in. Nothing personal but the profile's id is kept of viewing."""
_PERSONAL: Final = re.compile(r"[^\s@]@[^\s@]|\d(?:[\s().+/-]*\d){8}")
MAX_PLAYBACK_RATE: Final = 2
"""The fastest that our player plays; a faster one's watched time counts as if it played so."""
WATCHED_GRACE_MS: Final = 60_000
"""Of film: what hosts' clocks may differ, and a batch that is counted twice because its answer was lost."""
MAX_DURATION_MS: Final = 24 * 3600 * 1000
MAX_WATCHED_MS: Final = 10 * 60 * 1000
"""A player tells of what it shows every few seconds; ten minutes leave room for one that is offline."""
MAX_POSITION_SECONDS: Final = 7 * 24 * 3600.0
MAX_HEIGHT: Final = 16_384
MAX_KBPS: Final = 1_000_000
MAX_COUNT: Final = 10_000_000
"""Of dropped frames in one report."""
MAX_SENT_BYTES: Final = 2**40
"""Of one answer of an edge."""
MAX_PLACE: Final = 10_000
"""Of a title in the results of a search."""
SAMPLE_STEPS: Final = 1_000_000

ClientEventKind = Literal[
    "attempt",
    "first_frame",
    "pause",
    "play",
    "stall_begin",
    "stall_end",
    "seek",
    "rendition",
    "dropped_frames",
    "error",
    "heartbeat",
    "exit",
]
"""What a session's own player may tell, of `marquee.events.viewing.EventKind`."""

NEEDED_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "first_frame": ("duration_ms",),
    "stall_end": ("duration_ms",),
    "rendition": ("height",),
    "dropped_frames": ("count",),
    "error": ("error_code", "is_fatal"),
    "heartbeat": ("watched_ms",),
}
"""Fields without which an event of a kind says nothing."""
FIELD_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "duration_ms": ("first_frame", "stall_end", "seek"),
    "watched_ms": ("heartbeat", "exit"),
    "count": ("dropped_frames",),
    "error_code": ("error",),
    "is_fatal": ("error",),
}
"""Fields that only these kinds have. All other fields may stand in any event."""


def session_offset_ms(known: int | None, stated: int) -> int:
    """Server's clock minus the client's. `known`: of the session's earlier batches; `stated`: of this one.

    The smallest is the best: it has the shortest way in it.
    """
    if known is None or stated < known or stated - known > MAX_LATE_MS:
        return stated
    return known


def happened_at_ms(client_ms: float, offset_ms: int, *, began_ms: int, received_ms: int) -> int:
    """When it happened, by the server's clock: within the session, and not in the future."""
    return min(max(round(client_ms) + offset_ms, began_ms), received_ms)


def most_watched_ms(began_ms: int, received_ms: int) -> int:
    """How much film a session that began then can have shown by now."""
    return max(0, received_ms - began_ms) * MAX_PLAYBACK_RATE + WATCHED_GRACE_MS


def folded_query(query: str) -> str:
    """A query as it is counted: without differences of case, accents written in two ways, and blanks. `PERSONAL_QUERY` for one
    that says who asked.
    """
    folded = " ".join(unicodedata.normalize("NFKC", query).casefold().split())
    return PERSONAL_QUERY if is_personal(folded) else folded[:MAX_QUERY_CHARACTERS]


def is_personal(query: str) -> bool:
    """Whether a query holds what may name a person: `PERSONAL_QUERY` says which."""
    return query == PERSONAL_QUERY or _PERSONAL.search(query) is not None


def is_sampled(session_id: str, share: float) -> bool:
    """Whether this session's events are kept, of a share from 0 to 1. A session is kept whole or not at all, on every host."""
    return zlib.crc32(session_id.encode()) % SAMPLE_STEPS < share * SAMPLE_STEPS


@dataclass(frozen=True)
class Allowance:
    """How many events a session may still send: a bucket that is filled steadily. `at`: seconds of a monotonic clock."""

    left: float
    at: float


def spend(allowance: Allowance | None, events: int, *, per_minute: int, now: float) -> tuple[Allowance, int]:
    """(what is left, seconds to wait). 0 seconds: the events are taken. Else none of them is, and the allowance stays as it was.

    None: the session's first batch, a full bucket of one minute's events.
    """
    full = float(per_minute)
    left = full if allowance is None else min(full, allowance.left + (now - allowance.at) * per_minute / 60)
    if events <= left:
        return Allowance(left - events, now), 0
    return Allowance(left, now), max(1, math.ceil((events - left) * 60 / per_minute))
