"""Trending titles: how far a title's viewers are above what its own past lets expect.

For each title, viewers a day, each profile once a day, averaged with weights that halve with age: `fast` over a day, `slow` over
a week (exponential decay as in Cormode et al., *Forward Decay*, ICDE 2009). A title that follows the platform as a whole, weekend
and growth included, has fast = growth x slow, where growth = fast / slow of all titles together. The score is the Pearson
residual of a Poisson count against that (McCullagh and Nelder, *Generalized Linear Models*, 2.4), with a prior of some viewers:

    score = (fast - growth x slow) / sqrt(growth x slow + PRIOR_VIEWERS)

So three viewers after none are 1.2, and 2,000 after 1,000 are 28. Robots, previews and what started no film are left out.
"""

from datetime import date, timedelta
from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from jobs.spark.daily import is_play, of_viewers

FAST_DAYS: Final = 1.0
SLOW_DAYS: Final = 7.0
WINDOW_DAYS: Final = 28
"""Four half-lives of the slow average: an older day would weigh less than 7 %."""
PRIOR_VIEWERS: Final = 5.0
RECENT_DAYS: Final = 7
MIN_RECENT_VIEWERS: Final = 3
"""Different profiles in the recent days: what one or two people watch is not told to all."""
ROWS_PER_GENRE: Final = 100


def weight(age_days: int, half_life_days: float) -> float:
    """The share of a day of this age in an average over `WINDOW_DAYS`; all of them are 1."""
    total = sum(2 ** (-age / half_life_days) for age in range(WINDOW_DAYS))
    return float(2 ** (-age_days / half_life_days) / total)


def trending(sessions: DataFrame, genres: DataFrame, *, through: date) -> DataFrame:
    """genre ('' for all), rank, movie_id, score, watch_seconds of the window. `genres`: movie_id, genre; '' for each title too.

    `through` is the last day that counts.
    """
    first = through - timedelta(days=WINDOW_DAYS - 1)
    plays = (
        of_viewers(sessions)
        .where(is_play() & f.col("movie_id").isNotNull() & f.col("day").between(f.lit(first), f.lit(through)))
        .withColumn("viewer", f.coalesce("profile_id", "session_id"))
        .withColumn("age", f.datediff(f.lit(through), f.col("day")))
    )
    by_day = plays.groupBy("movie_id", "age").agg(
        f.count_distinct("viewer").alias("viewers"), f.sum("watch_seconds").alias("watch_seconds")
    )
    rates = by_day.groupBy("movie_id").agg(
        *(
            f.sum(
                f.col("viewers")
                * f.element_at(f.array(*[f.lit(weight(age, days)) for age in range(WINDOW_DAYS)]), f.col("age") + 1)
            ).alias(name)
            for name, days in (("fast", FAST_DAYS), ("slow", SLOW_DAYS))
        ),
        f.sum("watch_seconds").alias("watch_seconds"),
    )
    recent = (
        plays.where(f.col("age") < RECENT_DAYS)
        .groupBy("movie_id")
        .agg(f.count_distinct("viewer").alias("recent"))
        .where(f.col("recent") >= MIN_RECENT_VIEWERS)
    )
    growth = rates.agg((f.sum("fast") / f.sum("slow")).alias("growth"))
    expected = f.col("growth") * f.col("slow")
    scored = (
        rates.join(f.broadcast(recent), "movie_id")
        .crossJoin(f.broadcast(growth))
        .withColumn("score", f.round((f.col("fast") - expected) / f.sqrt(expected + PRIOR_VIEWERS), 6))
    )
    order = Window.partitionBy("genre").orderBy(f.desc("score"), f.desc("fast"), "movie_id")
    return (
        scored.join(genres, "movie_id")
        .withColumn("rank", f.row_number().over(order))
        .where(f.col("rank") <= ROWS_PER_GENRE)
        .select("genre", "rank", "movie_id", "score", "watch_seconds")
        .orderBy("genre", "rank")
    )
