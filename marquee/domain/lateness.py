"""What of analytics is late: events that do not reach the lake, batches and marts that are older than they may be.

Each `Watched` is one thing with its age and its bound. It is late past the bound; then somebody is told (`marquee.platform.
analytics_watch`). Ages are in seconds. A platform without events has nothing to be late with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SINK_SECONDS: Final = 900.0
"""Of the oldest event that is not in the lake. An ordinary one is there after half a minute, after an outage in some minutes."""
EDGE_LOG_SECONDS: Final = 900.0
"""Of the oldest line of an edge that is not published. An ordinary one is published within a second."""
HOUR_SECONDS: Final = 3600.0
MARTS: Final = "marts"
BATCH_SECONDS: Final = 30 * 3600.0
"""Of the oldest event that an accepted batch has not seen. A day's chain begins half an hour after it, and may take until six."""


@dataclass(frozen=True)
class Watched:
    """One thing that should not be late. `name` is a label of the figures; `sentence` says what is late and what to do."""

    name: str
    age_seconds: float
    bound_seconds: float
    sentence: str

    @property
    def is_late(self) -> bool:
        return self.age_seconds > self.bound_seconds


@dataclass(frozen=True)
class Accepted:
    """What viewers have of a batch. `through`: it has seen all events before; None: there is none.

    `unseen_since`: hour of the oldest event that is newer; None: there is no newer one.
    """

    through: datetime | None
    unseen_since: datetime | None


@dataclass(frozen=True)
class Arrivals:
    """What is known of events and batches at a moment.

    `sink_lag_seconds`: age of the oldest event that is not in the lake, 0 without one. `edge_lag_seconds`: the same of this
    host's edges and the event log. `last_hour_rows`, `fewest_rows`: events of the last whole hour in the lake, and how few are
    still usual (0: nothing is known). `accepted`: by batch or "marts". `refused`: why the newest batch was held back.
    """

    at: datetime
    sink_lag_seconds: float
    edge_lag_seconds: float
    last_hour_rows: int
    fewest_rows: int
    accepted: Mapping[str, Accepted]
    refused: Mapping[str, str]


def watched(now: Arrivals) -> Iterator[Watched]:
    """Everything that is watched, late or not."""
    yield Watched(
        "event-sink",
        now.sink_lag_seconds,
        SINK_SECONDS,
        f"The oldest event that is not in the lake is {told(now.sink_lag_seconds)} old: see whether `event-sink` runs, and its "
        "log.",
    )
    yield Watched(
        "edge-logs",
        now.edge_lag_seconds,
        EDGE_LOG_SECONDS,
        f"The oldest line of an edge that is not published is {told(now.edge_lag_seconds)} old: see whether `edge-logs` runs and "
        "the event log answers.",
    )
    yield _stopped(now)
    for name, accepted in now.accepted.items():
        yield _batch(now, name, accepted)


def _stopped(now: Arrivals) -> Watched:
    """Events that stop arriving: too few in the last hour, against the same hour of the past week. Then it is an hour late."""
    return Watched(
        "events",
        HOUR_SECONDS if now.last_hour_rows < now.fewest_rows else 0.0,
        0.0,
        f"The last whole hour has {now.last_hour_rows} events in the lake, and {now.fewest_rows} or more are usual: see whether "
        "players reach the telemetry endpoint (`marquee_api_telemetry_*`), and whether `event-sink` and `edge-logs` run.",
    )


def _batch(now: Arrivals, name: str, accepted: Accepted) -> Watched:
    """Late if it has not seen an event that a night's chain should have seen."""
    age = (now.at - accepted.unseen_since).total_seconds() if accepted.unseen_since else 0.0
    what = "The marts of the engineers' pages have" if name == MARTS else f"What viewers have of {name} has"
    seen = f"seen events until {accepted.through:%Y-%m-%d %H:%M}" if accepted.through else "seen no events"
    refused = (
        f"The newest one was held back: {now.refused[name]}." if name in now.refused else "See the runs in Dagster."
    )
    return Watched(
        name,
        age,
        BATCH_SECONDS,
        f"{what} {seen}, and newer ones wait for {told(age)}. {refused} `marquee analytics run` makes it.",
    )


def told(seconds: float) -> str:
    """An age for people."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
