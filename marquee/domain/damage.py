"""How much of a film may be shown wrong, or be missing at its end. Pure: the rule in seconds, whoever measures them.

A frame counts by the time for which it is shown, so the rule is the same at 5 and at 120 frames a second. Two limits: of the
whole film, and of its longest run, because one long run is worse for a viewer than the same time in many short ones. Short
clips have a floor: two frames of a clip of one second are 8 %, and hardly seen.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

MAX_SHARE: Final = 0.05
"""Of the film's length: more shown wrong, or more missing at the end, refuses the film."""
MAX_RUN_SECONDS: Final = 10.0
"""A longer run of wrong pictures refuses a film of any length. It bites in films that last longer than 200 seconds."""
FLOOR_SECONDS: Final = 0.5
"""So much never refuses a film, unless it is more than `MAX_FLOOR_SHARE` of the film."""
MAX_FLOOR_SHARE: Final = 0.2
MIN_PAUSE_SECONDS: Final = 0.4
"""Good pictures that last less between two wrong ones do not end a run: a viewer sees one disturbance. The decoder's messages are
also no more exact than this: they name no frame, and run up to eight frames ahead."""

Span = tuple[float, float]
"""A time in which the picture is wrong: (start, end) in seconds."""


class Damage(NamedTuple):
    """Seconds shown wrong in all, the seconds shown wrong in the longest run, and when that run begins."""

    wrong_seconds: float = 0.0
    longest_run_seconds: float = 0.0
    run_starts_seconds: float = 0.0


def measured(spans: Iterable[Span]) -> Damage:
    """The damage of these spans, which may overlap and stand in any order. Time in two spans counts once.

    A run's seconds are those shown wrong in it, without the short pauses.
    """
    total = run = longest = 0.0
    begins, longest_begins, end = 0.0, 0.0, float("-inf")
    for start, stop in sorted(spans):
        if start - end >= MIN_PAUSE_SECONDS:
            run, begins = 0.0, start
        added = max(0.0, stop - max(start, end))
        total, run, end = total + added, run + added, max(end, stop)
        if run > longest:
            longest, longest_begins = run, begins
    return Damage(total, longest, longest_begins)


def allowed_seconds(film_seconds: float, frame_seconds: float) -> float:
    """The seconds of a film that may be shown wrong, or be missing at its end: at least one frame, at most half the film."""
    floor = max(frame_seconds, min(FLOOR_SECONDS, MAX_FLOOR_SHARE * film_seconds))
    return min(film_seconds / 2, max(floor, MAX_SHARE * film_seconds))


def is_too_much(seconds: float, film_seconds: float, frame_seconds: float) -> bool:
    """Whether `seconds` of a film are more than may be wrong or missing. Half of the film always is."""
    allowed = allowed_seconds(film_seconds, frame_seconds)
    return seconds > allowed * (1 + 1e-9) or seconds >= film_seconds / 2


def is_too_long_a_run(damage: Damage) -> bool:
    """Whether one run of wrong pictures is longer than any film may have."""
    return damage.longest_run_seconds > MAX_RUN_SECONDS


def is_too_damaged(damage: Damage, film_seconds: float, frame_seconds: float) -> bool:
    """Whether a film of `film_seconds`, whose frames usually last `frame_seconds`, has too much damage to be shown."""
    return is_too_much(damage.wrong_seconds, film_seconds, frame_seconds) or is_too_long_a_run(damage)
