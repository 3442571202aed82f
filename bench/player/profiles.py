"""Bandwidth profiles as data: what a viewer's line carries, second by second, and its round-trip time.

`dip_ends`: the second at which the line is good again after a dip; recovery is measured from there. The steps repeat.
`lte` has the shape of a drive through a city: means of 2 to 4 s between 0.6 and 9 Mbit/s, without a hole.
"""

from dataclasses import dataclass
from typing import Final

from tests.harness.paced_line import Step

MBIT: Final = 1e6


@dataclass(frozen=True)
class Profile:
    name: str
    rtt_seconds: float
    steps: tuple[Step, ...]
    dip_ends: float | None = None

    def seconds(self, asked: float) -> float:
        """How long to watch: as long as asked, and 45 s after a dip at least."""
        return asked if self.dip_ends is None else max(asked, self.dip_ends + 45.0)


def _steps(*pairs: tuple[float, float]) -> tuple[Step, ...]:
    return tuple(Step(seconds, mbit * MBIT) for seconds, mbit in pairs)


PROFILES: Final = (
    Profile("low", 0.1, _steps((60, 0.5))),
    Profile("medium", 0.08, _steps((60, 1.5))),
    Profile("stepped", 0.05, _steps((30, 5.0), (30, 0.4), (240, 5.0)), dip_ends=60.0),
    Profile(
        "lte",
        0.06,
        _steps(
            *((3, 4.2), (2, 6.1), (3, 2.4), (2, 1.1), (4, 3.3), (2, 0.6), (3, 1.9), (2, 5.2), (3, 8.8), (2, 6.4)),
            *((3, 3.1), (4, 1.4), (2, 0.8), (3, 2.2), (2, 4.9), (3, 7.3), (4, 2.8), (2, 1.2), (3, 3.9), (2, 5.6)),
        ),
    ),
    Profile("train", 0.09, _steps((14, 3.0), (5, 0.0), (16, 2.2), (9, 0.0), (12, 3.5), (4, 0.3), (20, 2.6), (3, 0.0))),
    Profile("fast", 0.015, _steps((60, 40.0))),
)
