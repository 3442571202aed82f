"""`python -m jobs.spark.candidates --through 2026-11-30`: which titles to encode again, in the order of what it would save.

Reads the sessions of four weeks (`jobs.spark.saving` has the rule and the table) of the titles that are playable. Writes the
batch `candidates` in the state `written`.
"""

from jobs.spark.findings import read_library, sessions_of_days, write_batch
from jobs.spark.job import Figures, Job, run_job


def run(job: Job) -> Figures:
    from jobs.spark.saving import WINDOW_DAYS, candidates, read_table

    shown = [(title.movie_id,) for title in read_library(job) if title.is_playable]
    frame = job.spark.createDataFrame(shown, "movie_id string")
    sessions = sessions_of_days(job, WINDOW_DAYS).join(frame, "movie_id", "left_semi")
    rows = [tuple(row) for row in candidates(sessions, read_table()).collect()]
    batch_id = write_batch(job, "candidates", {"reencode_candidate": rows})
    return {"batch_id": batch_id, "rows": len(rows), "expected_saving_bytes": sum(row[4] for row in rows)}


if __name__ == "__main__":
    raise SystemExit(run_job("candidates", run, day_option="through"))
