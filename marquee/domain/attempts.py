"""How long somebody has to wait after wrong attempts to log in. The counter's engine keeps the count; the rule is here.

After `free` attempts a wait follows each further one: `first_seconds`, then twice as long each time, up to `max_seconds`. An
attempt within the wait is refused and not counted, so a flood makes no wait longer. The count ends by a right login, and
`forget_seconds` after the last counted attempt.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class AttemptRule:
    """Times are in seconds."""

    free: int
    first_seconds: float
    max_seconds: float
    forget_seconds: float

    def wait_after(self, attempts: int) -> float:
        """Seconds to wait after this many counted attempts."""
        if attempts < self.free:
            return 0.0
        # The exponent is bounded: 2.0 ** 1100 would be an OverflowError.
        return min(self.max_seconds, self.first_seconds * 2.0 ** min(attempts - self.free, 60))
