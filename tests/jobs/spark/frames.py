"""Small frames of viewing events for tests: `Events` writes one event a line, with the fields that matter."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAY = date(2026, 11, 30)
FIRST_MS = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp() * 1000)
END_MS = FIRST_MS + 86_400_000
LATER_MS = END_MS + 86_400_000
"""When the job of the day runs."""
NOON_MS = FIRST_MS + 12 * 3_600_000


class Events:
    """Events of the day, in the order in which they are received. Times are seconds after noon."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, session_id: str | None, kind: str, seconds: float, **fields: Any) -> dict[str, Any]:
        at_ms = NOON_MS + round(seconds * 1000)
        row = {
            "event_id": f"e{len(self.rows)}",
            "kind": kind,
            "source": "client",
            "at_ms": at_ms,
            "received_at_ms": at_ms + 40,
            "session_id": session_id,
            "profile_id": "p_one",
            "movie_id": "m_one",
            "is_preview": False,
            "device": "tv",
            "player": "web",
            **fields,
        }
        self.rows.append(row)
        return row

    def play(self, session_id: str, seconds: float = 0, *, watched: float = 10, **fields: Any) -> None:
        """An attempt, a first frame after a second, and an exit after `watched` seconds."""
        self.add(session_id, "attempt", seconds, **fields)
        self.add(session_id, "first_frame", seconds + 1, duration_ms=1000, **fields)
        self.add(
            *(session_id, "exit", seconds + 1 + watched),
            **{"watched_ms": round(watched * 1000), "position_seconds": float(watched), **fields},
        )

    def frame(self, spark: "SparkSession") -> "DataFrame":
        from jobs.spark.events import EVENT_SCHEMA

        return spark.createDataFrame(
            [tuple(row.get(name) for name in EVENT_SCHEMA.names) for row in self.rows], EVENT_SCHEMA
        )


def titles(spark: "SparkSession", **seconds: float) -> "DataFrame":
    """movie_id -> duration."""
    return spark.createDataFrame(
        list((seconds or {"m_one": 100.0}).items()), "movie_id string, duration_seconds double"
    )


def sessions_of(
    events: Events, spark: "SparkSession", *, as_of_ms: int = LATER_MS, day: int = 0, **seconds: float
) -> Any:
    """The frame of the day's sessions; `day` 1 is the day after."""
    from jobs.spark.rules import sessions_of_day

    shift = timedelta(days=day) // timedelta(milliseconds=1)
    return sessions_of_day(
        events.frame(spark),
        titles(spark, **seconds),
        first_ms=FIRST_MS + shift,
        end_ms=END_MS + shift,
        as_of_ms=as_of_ms,
    )


def by_session(events: Events, spark: "SparkSession", **options: Any) -> dict[str, dict[str, Any]]:
    return {row["session_id"]: row.asDict() for row in sessions_of(events, spark, **options).collect()}
