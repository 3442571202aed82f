"""What one viewing event says, as conditions on its columns: its kind, who said it, when, and in which order.

The rules of a session (`jobs.spark.rules`, `jobs.spark.stalls`) are made from these.
"""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as f

SILENT_MS: Final = 60_000
"""An attempt without a first frame, an error or an exit is given up after this time without an event. A stall ends after this
time without an event of the player: a device that slept was not stalled."""
PLAYBACK_ID: Final = "^v_[0-9a-v]{20}$"


def made_at() -> Column:
    """When a session's id was made, in Unix milliseconds, as `marquee.domain.ids.made_at_ms` reads it. Null for other ids.

    Ten characters of base32hex hold 50 bits, of which the first 48 are the time.
    """
    is_id = f.col("session_id").rlike(PLAYBACK_ID)
    return f.when(is_id, f.shiftright(f.conv(f.substring("session_id", 3, 10), 32, 10).cast("long"), 2))


def moment() -> tuple[Column, Column, Column]:
    """What orders a session's events: the time; within a millisecond the player's own count; then anything that is stable.

    An event without a count (of a server, an edge, or an earlier release) comes before the others of its millisecond.
    """
    return f.col("at_ms"), f.coalesce(f.col("seq"), f.lit(-1)).alias("seq"), f.col("event_id")


def kind_is(*kinds: str) -> Column:
    return f.col("kind").isin(*kinds)


def said_by_player() -> Column:
    """Events that a player sent itself, rather than a server or an edge about it."""
    return f.col("source").isin("client", "cmcd")


def is_video_request() -> Column:
    """A request that an edge answered; one that it refused has shown nothing."""
    is_answered = f.coalesce(f.col("status") < 400, f.lit(True))
    return (f.col("source") == "edge") & (f.col("object_kind") == "video") & is_answered


def is_fatal_error() -> Column:
    return kind_is("error") & f.coalesce(f.col("is_fatal"), f.lit(False))
