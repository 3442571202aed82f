"""`python -m jobs.spark.taste --through 2026-11-30`: what each profile may like, and what is like each title.

Reads the sessions of 90 days and the catalogue. Writes the batch `suggestions` ("because you watched", and each profile's share
of watch time by genre) and the batch `similar` (by who watched what, filled up by content), both in the state `written`. Without
the proof that taste is better than popularity (`jobs.spark.proof`) there are no suggestions, and the job says so; genres and
similar titles do not depend on it.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from jobs.spark.findings import read_library, sessions_of_days, write_batch
from jobs.spark.job import Figures, Job, run_job
from jobs.spark.proof import is_proved
from marquee.logs import get_logger
from marquee.stores.analytics.library import LibraryTitle

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.spark.recommending import Interactions

WINDOW_DAYS: Final = 90
log = get_logger()


def watch_shares(sessions: "DataFrame") -> "DataFrame":
    """profile_id, movie_id, share, at_ms, watch_seconds: how much of a title a profile watched, over all its sessions.

    Robots and previews are left out, and so is who watched less than `MIN_SHARE`. A title without a duration
    counts as half watched.
    """
    from pyspark.sql import functions as f

    from jobs.spark.daily import is_play, of_viewers
    from jobs.spark.recommending import MIN_SHARE

    share = f.least(f.coalesce(f.try_divide(f.sum("watch_seconds"), f.max("duration_seconds")), f.lit(0.5)), f.lit(1.0))
    return (
        of_viewers(sessions)
        .where(
            is_play() & f.col("profile_id").isNotNull() & f.col("movie_id").isNotNull() & (f.col("watch_seconds") > 0)
        )
        .groupBy("profile_id", "movie_id")
        .agg(share.alias("share"), f.max("started_at_ms").alias("at_ms"), f.sum("watch_seconds").alias("watch_seconds"))
        .where(f.col("share") >= MIN_SHARE)
    )


def genre_tastes(shares: "DataFrame", genres: "DataFrame") -> "DataFrame":
    """profile_id, genre, share of the profile's watch time. A title of three genres gives each a third; the shares are 1."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    per_title = Window.partitionBy("profile_id", "movie_id")
    per_profile = Window.partitionBy("profile_id")
    return (
        shares.join(genres, "movie_id")
        .withColumn("seconds", f.col("watch_seconds") / f.count(f.lit(1)).over(per_title))
        .groupBy("profile_id", "genre")
        .agg(f.sum("seconds").alias("seconds"))
        .withColumn("share", f.round(f.col("seconds") / f.sum("seconds").over(per_profile), 6))
        .select("profile_id", "genre", "share")
        .orderBy("profile_id", "genre")
    )


def similar_titles(
    interactions: "Interactions", titles: Sequence[LibraryTitle]
) -> Iterator[tuple[str, int, str, float, str]]:
    """Rows of the table `similar_title`: first what the same people watch, then what is of the same content."""
    from jobs.spark.content import SIMILAR, similar_by_content
    from jobs.spark.recommending import similar_by_watching

    shown = {title.movie_id for title in titles if title.is_playable}
    watching = similar_by_watching(interactions, SIMILAR) if interactions.movies else {}
    content = dict(similar_by_content(titles))
    for number, title in enumerate(titles):
        near = [(other, score, "watching") for other, score in watching.get(title.movie_id, ()) if other in shown]
        taken = {other for other, _, _ in near}
        more = ((titles[other].movie_id, score, "content") for other, score in content.get(number, ()))
        near += [each for each in more if each[0] not in taken]
        for rank, (other, score, basis) in enumerate(near[:SIMILAR], start=1):
            yield title.movie_id, rank, other, score, basis


def run(job: Job) -> Figures:
    from jobs.spark.recommending import PARAMETERS, Interactions, factorised, suggestions

    titles = read_library(job)
    shares = watch_shares(sessions_of_days(job, WINDOW_DAYS)).persist()
    interactions = Interactions.of(shares)
    genres = job.spark.createDataFrame(
        [(title.movie_id, genre) for title in titles for genre in title.genres], "movie_id string, genre string"
    )
    tastes = [tuple(row) for row in genre_tastes(shares, genres).collect()]
    proved = is_proved(PARAMETERS)
    found: list[tuple[Any, ...]] = []
    if not proved:
        log.warning("no suggestions are written: taste is not proved", remedy="python -m jobs.spark.evaluate --write")
    elif interactions.movies:
        shown = frozenset(title.movie_id for title in titles if title.is_playable)
        found = list(suggestions(interactions, factorised(job.spark, interactions), shown))
    suggested = write_batch(job, "suggestions", {"suggestion": found, "genre_taste": tastes})
    similar = write_batch(job, "similar", {"similar_title": similar_titles(interactions, titles)})
    return {
        "suggestions_batch_id": suggested,
        "similar_batch_id": similar,
        "is_proved": proved,
        "profiles": len(interactions.profiles),
        "watched_titles": len(interactions.movies),
        "suggestions": len(found),
        "genre_tastes": len(tastes),
        "titles": len(titles),
    }


if __name__ == "__main__":
    raise SystemExit(run_job("taste", run, day_option="through"))
