"""The batch jobs of analytics, each one process: `python -m jobs.spark.NAME`, from a shell or by Dagster Pipes.

    lake: events ── sessions ──> lake: sessions, and facts of the day ──┬── popularity ──> trending titles
                                                                        ├── taste ──────> suggestions, similar titles
                                                                        └── candidates ─> what to encode again

`session` starts Spark and ends it, `job` is the main of each. A rule stands once, in the module of its theme, as a function from
frames to a frame: `rules` (one playback session), `daily` (facts of a day), `trending`, `recommending`, `content`, `saving`. The
results go to `marquee.stores.analytics`, whole or not at all. A job that is killed at any moment leaves the old results.
"""
