"""Prometheus figures of the event sink and of what keeps the lake. The process serves them at the port `event_sink`."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from marquee.stores.lake.contract import NewFile

LAG: Final = Gauge(
    "marquee_event_sink_lag_seconds", "Age of the oldest viewing event that was read and is not in the lake"
)
RECORDS: Final = Counter("marquee_event_sink_records_total", "Records of the topic whose place the lake is past")
ROWS: Final = Counter("marquee_event_sink_rows_total", "Rows of files that became live")
FILES: Final = Counter("marquee_event_sink_files_total", "Files that became live")
DEAD: Final = Counter("marquee_event_sink_dead_total", "Records that could not be kept, now in viewing-events.dead")
FLUSH_SECONDS: Final = Histogram("marquee_event_sink_flush_seconds", "Time from a full batch to its commit")
IS_WRITER: Final = Gauge("marquee_event_sink_writer", "1: this process writes the lake; 0: it waits for its turn")
COMPACTED: Final = Counter("marquee_lake_compacted_files_total", "Small files that were replaced by one")
DELETED: Final = Counter("marquee_lake_deleted_files_total", "Files that were deleted", labelnames=("reason",))
ERASED_ROWS: Final = Counter("marquee_lake_erased_rows_total", "Rows that erasures removed")


def count_flush(records: int, files: Sequence[NewFile], seconds: float) -> None:
    RECORDS.inc(records)
    ROWS.inc(sum(file.rows for file in files))
    FILES.inc(len(files))
    FLUSH_SECONDS.observe(seconds)
