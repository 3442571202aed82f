"""The rules of one playback session: from its events, in any order and with repeats, to one row.

The names and definitions are those of CTA-2066 and Mux Data. Session = one `session_id`. It belongs to the day (UTC) in which
its id was made, so one over midnight, or one that goes on in the morning, counts once. A session whose id says no time belongs
to the day of its attempt. An event that a client sent twice counts once, by its `event_id`. What the player says
(`client`, `cmcd`) comes first; what the edges saw of it fills the gaps of players that report little.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from jobs.spark.events import credible
from jobs.spark.said import (
    SILENT_MS,
    is_fatal_error,
    is_video_request,
    kind_is,
    made_at,
    moment,
    said_by_player,
)
from jobs.spark.stalls import first_moments, stall_over_ms, with_stalls
from marquee.domain.playback import WATCHED_MS_PER_SECOND
from marquee.domain.telemetry import MAX_PLAYBACK_RATE, WATCHED_GRACE_MS

OUTCOMES: Final = ("played", "playback_failure", "start_failure", "exit_before_start")
MAX_STARTUP_MS: Final = 3_600_000
"""A longer startup is a device that slept before its first frame: it says nothing of the platform."""
MAX_REPORT_MS: Final = 120_000
"""A player's first report may tell of this much film before it."""
MAX_GAP_MS: Final = 60_000
"""A rendition is taken as shown for at most this long after an event: a device that slept shows nothing."""
BEFORE_HOURS: Final = 6
"""Before a day, in which the attempt of a session is looked for whose id says no time."""
SESSION_COLUMNS: Final = (
    *("session_id", "day", "started_at_ms", "profile_id", "movie_id", "version", "device", "player", "edge"),
    *("is_preview", "is_robot", "outcome", "error_code", "startup_ms", "watch_seconds", "stall_seconds", "stalls"),
    *("mean_kbps", "top_height", "dropped_frames", "max_position_seconds", "duration_seconds", "is_completed"),
    *("sent_bytes", "events"),
)
"""The columns of the lake's dataset `sessions`, in their order."""


def counted_once(events: DataFrame) -> DataFrame:
    """Each event of a session once, the first that was received. Frames are left together by session: no later shuffle."""
    copies = Window.partitionBy("session_id", "event_id").orderBy("received_at_ms", "at_ms", "source")
    return (
        events.where(f.col("session_id").isNotNull())
        .repartition("session_id")
        .withColumn("copy", f.row_number().over(copies))
        .where("copy = 1")
        .drop("copy")
    )


def with_what_is_shown(events: DataFrame) -> DataFrame:
    """Adds `shown_ms`, how long after the event film was shown, and `shown_kbps`, at which bitrate; and `stalled_since_ms`, when
    the last stall began, with `said_before_ms`, when watched time was last told of before the event.

    Film is shown from a first frame, the end of a pause, a stall or a seek on, until a pause, a stall, an exit or a fatal error.
    """
    in_order = Window.partitionBy("session_id").orderBy(*moment())
    until_now = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_showing = (
        f.when(~said_by_player(), None)
        .when(kind_is("first_frame", "play", "stall_end", "seek") | (f.col("watched_ms") > 0), True)
        .when(kind_is("pause", "stall_begin", "exit") | is_fatal_error(), False)
        # Said last: an exit ends the film although it also says what was watched before it.
    )
    is_showing = f.when(said_by_player() & kind_is("exit"), False).otherwise(is_showing)
    gap_ms = f.least(f.lead("at_ms").over(in_order) - f.col("at_ms"), f.lit(MAX_GAP_MS))
    kbps = f.when(said_by_player() & (f.col("kbps") > 0), f.col("kbps"))
    before = in_order.rowsBetween(Window.unboundedPreceding, -1)
    told_at_ms = f.when(said_by_player(), f.col("at_ms"))
    stall_at_ms = f.when(said_by_player() & kind_is("stall_begin"), f.col("at_ms"))
    return (
        events.withColumn(
            "shown_ms", f.when(f.last(is_showing, ignorenulls=True).over(until_now), f.coalesce(gap_ms, f.lit(0)))
        )
        .withColumn("shown_kbps", f.last(kbps, ignorenulls=True).over(until_now))
        .withColumn("told_before_ms", f.last(told_at_ms, ignorenulls=True).over(before))
        .withColumn("stalled_since_ms", f.last(stall_at_ms, ignorenulls=True).over(before))
        .withColumn(
            "said_before_ms", f.last(f.when(f.col("watched_ms").isNotNull(), told_at_ms), ignorenulls=True).over(before)
        )
    )


def _first(column: str) -> Column:
    """The first value by time that is not null."""
    order = f.when(f.col(column).isNotNull(), f.struct(*moment()))
    return f.min_by(f.col(column), order)


def _positive(column: str) -> Column:
    return f.greatest(f.col(column), f.lit(0))


def folded(events: DataFrame) -> DataFrame:
    """One row a session: sums, first times, and the short lists (stalls, seeks, silences, fatal errors) that `judged` needs.

    Watched time is at most the time between the first and the last event, at the highest playback rate; and at most what the
    API allows from the time in the session's id to the last receipt. Each process of the API bounds what it hears itself. Only
    here all of a session's events are together.
    """
    watched_ms = f.when(said_by_player(), _positive("watched_ms"))
    position = f.when(said_by_player() & ~kind_is("seek"), f.col("position_seconds"))
    ended = f.struct("at_ms", _positive("duration_ms").alias("ms"))
    over = f.when(stall_over_ms().isNotNull(), f.struct("stalled_since_ms", (-stall_over_ms()).alias("minus_over_ms")))
    since_made_ms = f.max("received_at_ms") - f.min(made_at())
    most_watched_ms = f.least(
        (f.max("at_ms") - f.min("at_ms")) * MAX_PLAYBACK_RATE + MAX_REPORT_MS,
        # Null, which `least` passes over, for an id that says no time.
        f.when(since_made_ms < 0, 0).otherwise(since_made_ms) * MAX_PLAYBACK_RATE + WATCHED_GRACE_MS,
    )
    is_silence = said_by_player() & (f.col("at_ms") - f.col("told_before_ms") > SILENT_MS)
    order = f.struct(*moment()[:2])
    says_startup = kind_is("first_frame") & (f.col("duration_ms") >= 0)
    return events.groupBy("session_id").agg(
        f.min("at_ms").alias("first_at_ms"),
        f.max("at_ms").alias("last_at_ms"),
        f.min(f.when(kind_is("attempt"), f.col("at_ms"))).alias("attempt_at_ms"),
        f.min(f.when(kind_is("first_frame"), f.col("at_ms"))).alias("first_frame_at_ms"),
        f.min(f.when(watched_ms > 0, f.col("at_ms") - watched_ms)).alias("watched_from_ms"),
        f.min(f.when(watched_ms > 0, f.col("at_ms"))).alias("watched_at_ms"),
        f.min(f.when(kind_is("first_frame"), order)).alias("first_frame_order"),
        f.min_by("duration_ms", f.when(says_startup, f.struct(*moment()))).alias("first_frame_ms"),
        f.max(kind_is("exit")).alias("has_exit"),
        f.sort_array(f.collect_list(f.when(is_fatal_error(), f.struct(*moment(), "error_code")))).alias("fatal"),
        first_moments(f.when(kind_is("stall_end"), ended)).alias("stall_list"),
        first_moments(f.when(kind_is("seek"), ended)).alias("seek_list"),
        f.collect_list(f.when(is_silence, f.struct("told_before_ms", "at_ms"))).alias("silences"),
        f.max(f.when(kind_is("stall_begin"), order)).alias("stall_began"),
        f.max(f.when(kind_is("stall_end"), order)).alias("stall_ended"),
        f.max(over).alias("stall_over"),
        f.least(f.sum(watched_ms), f.when(f.sum(watched_ms).isNotNull(), most_watched_ms)).alias("watched_ms"),
        (
            f.sum(f.col("shown_kbps") * f.col("shown_ms"))
            / f.sum(f.when(f.col("shown_kbps").isNotNull(), f.col("shown_ms")))
        ).alias("shown_kbps"),
        f.avg(f.when(is_video_request(), f.col("kbps"))).alias("sent_kbps"),
        f.max(f.when(said_by_player(), f.col("height"))).alias("shown_height"),
        f.max(f.when(is_video_request(), f.col("height"))).alias("sent_height"),
        f.sum(f.when(said_by_player() & kind_is("dropped_frames"), _positive("count"))).alias("dropped_frames"),
        f.max(position).alias("max_position_seconds"),
        f.sum(f.when(f.col("source") == "edge", _positive("sent_bytes"))).alias("sent_bytes"),
        *[_first(name).alias(name) for name in ("profile_id", "movie_id", "version", "device", "player", "edge")],
        f.max(f.coalesce(f.col("is_preview"), f.lit(False))).alias("is_preview"),
        f.max(f.coalesce(f.col("device") == "robot", f.lit(False))).alias("is_robot"),
        f.count(f.lit(1)).alias("events"),
    )


def judged(sessions: DataFrame, *, as_of_ms: int) -> DataFrame:
    """Adds how each session went. `outcome` is null for one that may still begin, and for one that asked for nothing.

    Played: a first frame, or film watched. Playback failure: a fatal error at or after it. Start failure: a fatal error and
    nothing played. Exit before start: neither, and an exit, or `SILENT_MS` without an event until `as_of_ms`.
    """
    # At double speed film is longer than the time it took: its length says when it began only where no first frame does.
    watched_from = f.when(f.col("watched_from_ms").isNotNull(), f.greatest("watched_from_ms", "attempt_at_ms"))
    has_lost_first_frame = f.col("watched_at_ms") < f.col("first_frame_at_ms")
    began = f.when(has_lost_first_frame, watched_from).otherwise(f.coalesce("first_frame_at_ms", watched_from))
    shown = f.col("first_frame_order")

    def is_after(error: Column) -> Column:
        """The first frame counts before an error of its millisecond, unless the player's own count says otherwise."""
        in_order = (shown["at_ms"] != f.col("began_ms")) | (shown["seq"] < 0) | (error["seq"] > shown["seq"])
        is_same = (error["at_ms"] == f.col("began_ms")) & f.coalesce(in_order, f.lit(True))
        return (error["at_ms"] > f.col("began_ms")) | is_same

    after = f.filter("fatal", is_after)
    decisive = f.when(f.col("began_ms").isNull(), f.col("fatal")).otherwise(after)
    asked = f.col("attempt_at_ms").isNotNull() | f.col("began_ms").isNotNull() | (f.size("fatal") > 0)
    is_over = f.col("has_exit") | (f.lit(as_of_ms) - f.col("last_at_ms") >= SILENT_MS)
    outcome = (
        f.when(~asked, None)
        .when(f.col("began_ms").isNotNull(), f.when(f.size("decisive") > 0, "playback_failure").otherwise("played"))
        .when(f.size("decisive") > 0, "start_failure")
        .when(is_over, "exit_before_start")
    )
    return (
        sessions.withColumn("began_ms", began)
        .withColumn("decisive", decisive)
        .withColumn("outcome", outcome)
        .withColumn(
            "error_code",
            f.when(f.size("decisive") > 0, f.coalesce(f.get("decisive", f.lit(0))["error_code"], f.lit("unknown"))),
        )
        .withColumn(
            "startup_ms",
            f.when(
                f.col("began_ms").isNotNull() & (f.col("first_frame_ms") <= MAX_STARTUP_MS), f.col("first_frame_ms")
            ),
        )
        .withColumn("started_at_ms", f.coalesce("attempt_at_ms", "first_at_ms"))
    )


def sessions_of_day(events: DataFrame, titles: DataFrame, *, first_ms: int, end_ms: int, as_of_ms: int) -> DataFrame:
    """The sessions that belong to [first_ms, end_ms), with `SESSION_COLUMNS`. `titles`: movie_id, duration_seconds.

    Completed: film was watched, and up to 95 % of the duration or further.
    """
    # Sessions of other days are left out first: counting those of the day after would be for nothing.
    mine = credible(events).where(f.coalesce(made_at().between(first_ms, end_ms - 1), f.lit(True)))
    found = with_stalls(judged(folded(with_what_is_shown(counted_once(mine))), as_of_ms=as_of_ms))
    found = found.withColumn("day_ms", f.coalesce(made_at(), f.col("started_at_ms")))
    in_day = found.where((f.col("day_ms") >= first_ms) & (f.col("day_ms") < end_ms))
    watched_to_the_end = (f.col("watched_ms") > 0) & (
        f.floor(f.col("max_position_seconds") * 1000) >= f.floor(f.col("duration_seconds") * WATCHED_MS_PER_SECOND)
    )
    return (
        in_day.where(f.col("outcome").isNotNull())
        .join(f.broadcast(titles.select("movie_id", "duration_seconds")), "movie_id", "left")
        .withColumn("is_completed", f.coalesce(watched_to_the_end, f.lit(False)))
        .withColumn("watch_seconds", f.coalesce(f.col("watched_ms"), f.lit(0)) / 1000)
        .withColumn("mean_kbps", f.coalesce("shown_kbps", "sent_kbps"))
        .withColumn("top_height", f.coalesce("shown_height", "sent_height"))
        .withColumn("dropped_frames", f.coalesce("dropped_frames", f.lit(0)))
        .withColumn("sent_bytes", f.coalesce("sent_bytes", f.lit(0)))
        .withColumn("day", f.to_date(f.timestamp_millis(f.col("day_ms"))))
        .select(*SESSION_COLUMNS)
    )
