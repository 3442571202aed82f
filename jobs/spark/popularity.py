"""`python -m jobs.spark.popularity --through 2026-11-30`: trending titles, over all and of each genre.

Reads the sessions of the four weeks that end with the day (`jobs.spark.trending` has the rule) and the titles' genres. Writes the
batch `popularity` in the state `written`; viewers see it once it is accepted.
"""

from jobs.spark.findings import read_library, sessions_of_days, write_batch
from jobs.spark.job import Figures, Job, run_job


def run(job: Job) -> Figures:
    from jobs.spark.trending import WINDOW_DAYS, trending

    # A title that is not playable now would take the place of one that a row can show.
    titles = [title for title in read_library(job) if title.is_playable]
    genres = [(title.movie_id, genre) for title in titles for genre in ("", *title.genres)]
    frame = job.spark.createDataFrame(genres, "movie_id string, genre string")
    found = trending(sessions_of_days(job, WINDOW_DAYS), frame, through=job.day).collect()
    rows = [tuple(row) for row in found]
    batch_id = write_batch(job, "popularity", {"popularity": rows})
    return {"batch_id": batch_id, "rows": len(rows), "titles": len({row[2] for row in rows})}


if __name__ == "__main__":
    raise SystemExit(run_job("popularity", run, day_option="through"))
