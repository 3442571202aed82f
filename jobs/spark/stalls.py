"""Rebuffering of one playback session: which stalls count, and for how long.

Seeks are left out, and so are devices that slept, tabs that were abandoned, and stalls whose end was lost while the film went on.
"""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from jobs.spark.said import SILENT_MS, is_fatal_error, kind_is, said_by_player

MAX_STALL_MS: Final = 600_000
"""A stall counts for at most this long. Nobody waits longer: it is an abandoned tab whose page still says that it lives."""
MAX_MOMENTS: Final = 1000
"""Stalls and seeks of a session that are looked at, the first ones: each stall is compared with each seek. A script may send 600
a minute for a day, which took hours."""


def stall_over_ms() -> Column:
    """When a stall was over whose own end was lost: the event says that something else happened. Null: it does not.

    Watched time counts from the second report on: the first one tells of film before the stall, too.
    """
    began_ms = f.col("at_ms") - f.when(kind_is("seek"), f.coalesce("duration_ms", f.lit(0))).otherwise(0)
    shown_ms = f.greatest(f.col("at_ms") - f.col("watched_ms"), f.col("said_before_ms"))
    is_shown = (f.col("watched_ms") > 0) & (f.col("said_before_ms") >= f.col("stalled_since_ms"))
    ends = kind_is("pause", "play", "seek", "first_frame", "exit") | is_fatal_error()
    over_ms = f.when(ends, began_ms).when(is_shown, shown_ms)
    return f.when(said_by_player() & over_ms.isNotNull(), f.greatest(over_ms, "stalled_since_ms"))


def first_moments(moment: Column) -> Column:
    """The first `MAX_MOMENTS` of a session, by time."""
    return f.slice(f.sort_array(f.collect_list(moment)), 1, MAX_MOMENTS)


def with_stalls(sessions: DataFrame) -> DataFrame:
    """Adds `stalls` and `stall_seconds`: rebuffering after the first frame.

    A stall that begins within a seek is what the seek costs, and is left out (CTA-2066). One that never ended counts until
    something else happened (`stall_over_ms`), or the session's last event. Within a stall, what is longer than `SILENT_MS`
    between two events of the player is no stall. A stall counts for `MAX_STALL_MS` at most.
    """

    def stalled_ms(began: Column, ended: Column) -> Column:
        """The time from `began` to `ended`, less the silences in it."""

        def without(left: Column, silence: Column) -> Column:
            from_ms = f.greatest(silence["told_before_ms"], began) + SILENT_MS
            return left - f.greatest(f.least(silence["at_ms"], ended) - from_ms, f.lit(0))

        return f.least(f.aggregate("silences", ended - began, without), f.lit(MAX_STALL_MS))

    def counts(stall: Column) -> Column:
        began = stall["at_ms"] - stall["ms"]
        in_seek = f.exists("seek_list", lambda seek: began.between(seek["at_ms"] - seek["ms"], seek["at_ms"]))
        last_seek_ms = f.when(f.size("seek_list") == MAX_MOMENTS, f.element_at("seek_list", -1)["at_ms"])
        is_known = stall["at_ms"] <= f.coalesce(last_seek_ms, f.lit(2**62))
        return (began >= f.coalesce(f.col("began_ms"), f.lit(2**62))) & ~in_seek & is_known

    began_ms = f.col("stall_began")["at_ms"]
    is_open = (began_ms >= f.col("began_ms")) & (
        f.col("stall_ended").isNull() | (f.col("stall_ended") < f.col("stall_began"))
    )
    is_over = f.col("stall_over.stalled_since_ms") == began_ms
    open_until = f.when(is_over, -f.col("stall_over.minus_over_ms")).otherwise(f.col("last_at_ms"))
    open_ms = f.when(is_open, stalled_ms(began_ms, open_until)).otherwise(0)
    ended_ms = f.aggregate(
        "stall_list",
        f.lit(0).cast("long"),
        lambda total, stall: total + stalled_ms(stall["at_ms"] - stall["ms"], stall["at_ms"]),
    )
    return (
        sessions.withColumn("stall_list", f.filter("stall_list", counts))
        .withColumn("stalls", f.size("stall_list") + f.when(is_open, 1).otherwise(0))
        .withColumn("stall_seconds", (ended_ms + open_ms) / 1000)
    )
