"""The settings of the lake and of the event sink that fills it. They are groups of the settings page, as those of `groups`."""

from pydantic import BaseModel, Field


class Lake(BaseModel):
    """The lake

    Viewing events as files. [Analytics](analytics.md) tells what these settings cost.
    """

    sink_flush_seconds: float = Field(
        30.0, gt=0, description="Seconds after which the event sink writes what it has read, however little it is."
    )
    sink_flush_rows: int = Field(
        100_000, ge=1, le=5_000_000, description="Number of events after which the event sink writes a batch."
    )
    sink_flush_bytes: int = Field(
        64 * 1024**2,
        ge=1024,
        description="Bytes of memory after which the event sink writes a batch. The process takes about three times as much.",
    )
    viewing_events_keep_seconds: int = Field(
        24 * 3600,
        ge=60,
        description="Seconds for which the event log keeps viewing events where no event sink runs. "
        "While one runs, the log keeps what it has not written yet, up to MARQUEE_VIEWING_EVENTS_KEEP_RECORDS.",
    )
    viewing_events_keep_records: int = Field(
        1_000_000,
        ge=1000,
        description="Number of viewing events that the event log keeps at most, whether or not an event sink runs: about "
        "0.5 GB of memory in Valkey. Beyond it the oldest are dropped, those in the lake first.",
    )
    lake_days: int = Field(400, ge=0, description="Days for which the lake keeps events. 0: for ever.")
    lake_compact_seconds: float = Field(
        900.0, gt=0, description="Seconds without a new file after which the small files of an hour become one."
    )
    lake_retired_seconds: float = Field(
        7200.0,
        ge=0,
        description="Seconds for which a replaced file stays, for jobs that still read it. Erased rows are gone after it.",
    )
