"""The facts of a day, from the day's sessions (`jobs.spark.rules`) and its searches. Robots and previews are in none of them.

Percentiles are exact (Spark's `percentile`, with linear interpolation between two values). The columns are those of
`marquee.stores.analytics.writing.DAY_COLUMNS`, in order.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from jobs.spark.events import credible
from marquee.domain.telemetry import PERSONAL_QUERY, is_personal
from marquee.stores.search.relevance.text import MAX_QUERY_CHARACTERS, words

UNKNOWN: Final = "unknown"
"""The value of a cut for sessions that do not say it: so each cut's attempts add up to those of `all`."""
MAX_VALUE_CHARACTERS: Final = 200
"""Of a text from a client that becomes a key of a table."""
MAX_QUERIES: Final = 200_000
"""Different spellings of a day that are kept, the most asked ones: the driver holds them."""


def of_viewers(sessions: DataFrame) -> DataFrame:
    """Without robots and without engineers who look at a title."""
    return sessions.where(~f.col("is_robot") & ~f.col("is_preview"))


def is_play() -> Column:
    return f.col("outcome").isin("played", "playback_failure")


def count_if(condition: Column) -> Column:
    return f.coalesce(f.sum(f.when(condition, 1)), f.lit(0))


def key(column: Column) -> Column:
    """A text as a key of PostgreSQL: bounded, without the one character that it cannot hold, and never null."""
    bounded = f.translate(f.substring(column, 1, MAX_VALUE_CHARACTERS), "\x00", "")
    return f.when(f.length(bounded) > 0, bounded).otherwise(UNKNOWN)


def daily_title(sessions: DataFrame) -> DataFrame:
    return (
        of_viewers(sessions)
        .where(f.col("movie_id").isNotNull())
        .groupBy(key(f.col("movie_id")).alias("movie_id"))
        .agg(
            f.count(f.lit(1)),
            count_if(is_play()),
            f.count_distinct(f.when(is_play(), f.col("profile_id"))),
            count_if(f.col("is_completed")),
            f.sum("watch_seconds"),
        )
    )


def daily_profile(sessions: DataFrame) -> DataFrame:
    return (
        of_viewers(sessions)
        .where(is_play() & f.col("profile_id").isNotNull())
        .groupBy(key(f.col("profile_id")).alias("profile_id"))
        .agg(f.count_distinct("movie_id"), f.sum("watch_seconds"))
    )


def daily_quality(sessions: DataFrame) -> DataFrame:
    """Quality of experience over all sessions, and by each cut; without sessions no row (`with_whole_day`).

    Startup time: of played sessions that say it. Rebuffer ratio: stalled time / (stalled + watched time). Mean bitrate: of the
    sessions' means, weighted by their watch time. The rendition is the highest that a session showed.
    """
    cuts = f.array(
        f.struct(f.lit("all").alias("cut"), f.lit("").alias("value")),
        *(
            f.struct(f.lit(cut).alias("cut"), key(f.col(column).cast("string")).alias("value"))
            for cut, column in (
                *(("title", "movie_id"), ("edge", "edge"), ("device", "device")),
                *(("rendition", "top_height"), ("player", "player")),
            )
        ),
    )
    rated_seconds = f.when(f.col("mean_kbps").isNotNull(), f.col("watch_seconds"))
    stalled, watched = (
        f.sum(f.when(is_play(), f.col("stall_seconds"))),
        f.sum(f.when(is_play(), f.col("watch_seconds"))),
    )
    return (
        of_viewers(sessions)
        .select(f.explode(cuts).alias("key"), "*")
        .groupBy("key.cut", "key.value")
        .agg(
            f.count(f.lit(1)),
            count_if(is_play()),
            count_if(f.col("outcome") == "exit_before_start"),
            count_if(f.col("outcome") == "start_failure"),
            count_if(f.col("outcome") == "playback_failure"),
            (f.percentile("startup_ms", f.lit(0.5)) / 1000).alias("p50"),
            (f.percentile("startup_ms", f.lit(0.95)) / 1000).alias("p95"),
            f.try_divide(stalled, stalled + watched).alias("rebuffer"),
            f.try_divide(f.sum(f.col("mean_kbps") * f.col("watch_seconds")), f.sum(rated_seconds)).alias("kbps"),
            f.sum("watch_seconds"),
            f.sum("stall_seconds"),
        )
    )


def with_whole_day(quality: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows of `daily_quality`, and on a day without sessions the row of `all` with zeros: it says that nobody watched."""
    rows = [tuple(row) for row in quality]
    return rows or [("all", "", 0, 0, 0, 0, 0, None, None, None, None, 0.0, 0.0)]


def daily_failure(sessions: DataFrame) -> DataFrame:
    return (
        of_viewers(sessions)
        .where(f.col("outcome").isin("start_failure", "playback_failure"))
        .groupBy(key(f.col("error_code")).alias("error_code"))
        .agg(count_if(f.col("outcome") == "start_failure"), count_if(f.col("outcome") == "playback_failure"))
    )


def searches(events: DataFrame) -> DataFrame:
    """Searches by their spelling: query, asked, without_results, opened, place_sum, profiles. An event that was sent twice
    counts once.
    """
    mine = (
        credible(events)
        .where(
            f.col("kind").isin("search_asked", "search_opened")
            & f.col("query").isNotNull()
            & ~f.coalesce(f.col("is_preview"), f.lit(False))
            & ~f.coalesce(f.col("device") == "robot", f.lit(False))
        )
        .select(
            "event_id",
            "kind",
            f.substring("query", 1, MAX_QUERY_CHARACTERS).alias("query"),
            "results",
            "place",
            "profile_id",
        )
    )
    asked, opened = f.col("kind") == "search_asked", f.col("kind") == "search_opened"
    return (
        mine.dropDuplicates(["event_id"])
        .groupBy("query")
        .agg(
            count_if(asked).alias("asked"),
            count_if(asked & (f.col("results") == 0)).alias("without_results"),
            count_if(opened).alias("opened"),
            f.coalesce(f.sum(f.when(opened, f.greatest("place", f.lit(1)))), f.lit(0)).alias("place_sum"),
            f.count_distinct("profile_id").alias("profiles"),
        )
        .orderBy(f.desc("asked"), f.desc("opened"), "query")
        .limit(MAX_QUERIES)
    )


def by_folded_query(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, int, int, int, int, int]]:
    """The rows of `searches` by the words that search itself folds a query to: "Léon " and "leon" are one.

    `profiles` is that of the spelling that most profiles used: their sum would count one person with two spellings twice.
    """
    totals: dict[str, list[int]] = {}
    most_profiles: dict[str, int] = {}
    for query, *counts, profiles in rows:
        # Older events have such queries as they were asked.
        folded = PERSONAL_QUERY if is_personal(query) else " ".join(words(query))[:MAX_VALUE_CHARACTERS].strip()
        if folded:
            total = totals.setdefault(folded, [0, 0, 0, 0])
            totals[folded] = [one + other for one, other in zip(total, counts, strict=True)]
            most_profiles[folded] = max(most_profiles.get(folded, 0), profiles)
    for query, (asked, without_results, opened, place_sum) in sorted(totals.items()):
        yield query, asked, without_results, opened, place_sum, most_profiles[query]
