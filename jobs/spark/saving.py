"""Which titles to encode again first: those whose viewers would have been sent the most bytes less.

For each session: the bytes that it was sent (as the edges counted them, else mean bitrate x watch time) x the saving of the table
`savings.toml` for the title's codec and the highest lines that the session showed. Summed over a title's sessions, and ranked. So
a title that nobody watches costs no encoding. Until encoding profiles exist, every title is H.264.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from jobs.spark.daily import is_play, of_viewers

TABLE: Final = Path(__file__).with_name("savings.toml")
CURRENT_CODEC: Final = "h264"
WINDOW_DAYS: Final = 28
CANDIDATES: Final = 500
UNKNOWN_LINES: Final = 480
"""A session that says nothing of its lines is taken for a small picture, where the saving is smallest."""


@dataclass(frozen=True)
class Saving:
    """A row of the table: up to `lines` lines, `saving` of the bytes goes."""

    codec: str
    lines: int
    target: str
    saving: float
    source: str


def read_table(path: Path = TABLE) -> list[Saving]:
    """The rows, the fewest lines first. Raises ValueError for a saving that is no share."""
    rows = [Saving(**row) for row in tomllib.loads(path.read_text())["saving"]]
    if wrong := [row for row in rows if not 0 <= row.saving < 1]:
        raise ValueError(
            f"{path.name}: {wrong[0].saving} of {wrong[0].codec} at {wrong[0].lines} lines is not from 0 to below 1"
        )
    return sorted(rows, key=lambda row: (row.codec, row.lines))


def _of_lines(lines: Column, table: Sequence[Saving], values: Sequence[object], otherwise: object) -> Column:
    found = f.lit(otherwise)
    for row, value in reversed(list(zip(table, values, strict=True))):
        found = f.when(lines <= row.lines, f.lit(value)).otherwise(found)
    return found


def candidates(sessions: DataFrame, table: Sequence[Saving], *, codec: str = CURRENT_CODEC) -> DataFrame:
    """rank, movie_id, watch_hours, sent_bytes, expected_saving_bytes, reason; the largest saving first."""
    rows = [row for row in table if row.codec == codec]
    lines = f.coalesce("top_height", f.lit(UNKNOWN_LINES))
    estimated = f.coalesce("mean_kbps", f.lit(0.0)) * f.col("watch_seconds") * 125
    sent = f.when(f.col("sent_bytes") > 0, f.col("sent_bytes").cast("double")).otherwise(estimated)
    saving = _of_lines(lines, rows, [row.saving for row in rows], 0.0)
    reasons = [
        f"{codec} at up to {row.lines} lines: {row.saving:.0%} less with {row.target}, of the bytes of most viewers"
        for row in rows
    ]
    by_title = (
        of_viewers(sessions)
        .where(is_play() & f.col("movie_id").isNotNull())
        .withColumn("sent", sent)
        .withColumn("saved", sent * saving)
        .withColumn("lines", lines)
        .groupBy("movie_id")
        .agg(
            f.round(f.sum("watch_seconds") / 3600, 6).alias("watch_hours"),
            f.sum("sent").cast("long").alias("sent_bytes"),
            f.sum("saved").cast("long").alias("expected_saving_bytes"),
            f.percentile("lines", f.lit(0.5)).alias("lines"),
        )
        .where(f.col("expected_saving_bytes") > 0)
        .withColumn("reason", _of_lines(f.col("lines"), rows, reasons, f"{codec}: no saving is known"))
    )
    order = Window.orderBy(f.desc("expected_saving_bytes"), "movie_id")
    return (
        by_title.orderBy(f.desc("expected_saving_bytes"), "movie_id")
        .limit(CANDIDATES)
        .withColumn("rank", f.row_number().over(order))
        .select("rank", "movie_id", "watch_hours", "sent_bytes", "expected_saving_bytes", "reason")
        .orderBy("rank")
    )
