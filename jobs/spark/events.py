"""Reads files of the lake's dataset `events` into a frame, or says which file cannot be read.

The files are the live ones of the lake's list, named one by one: nothing lists a folder. A column that an older file lacks is
null, one that this version does not know is left out. A damaged file, a column of another type, an event without its id, kind
or time is a poisoned file: `EventsUnusable` names it, and the job writes nothing. Spark passes over an empty file in silence, so
each file's size and the sum of the rows are compared with the list.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import BooleanType, DataType, DoubleType, LongType, StringType, StructField, StructType

from jobs.spark.poisoned import EventsUnusable
from jobs.spark.session import disk_full
from marquee.domain.telemetry import (
    MAX_COUNT,
    MAX_DURATION_MS,
    MAX_HEIGHT,
    MAX_KBPS,
    MAX_PLACE,
    MAX_POSITION_SECONDS,
    MAX_SENT_BYTES,
)
from marquee.errors import PlatformUnavailable

_TEXT, _NUMBER = StringType(), LongType()
_FIELDS: Final[dict[str, DataType]] = {
    **dict.fromkeys(("event_id", "kind", "source"), _TEXT),
    **dict.fromkeys(("at_ms", "received_at_ms", "seq"), _NUMBER),
    **dict.fromkeys(("session_id", "profile_id", "movie_id"), _TEXT),
    "version": _NUMBER,
    "is_preview": BooleanType(),
    **dict.fromkeys(("device", "player", "edge"), _TEXT),
    "position_seconds": DoubleType(),
    **dict.fromkeys(("duration_ms", "watched_ms", "height", "kbps", "count"), _NUMBER),
    "error_code": _TEXT,
    "is_fatal": BooleanType(),
    "query": _TEXT,
    **dict.fromkeys(("results", "place"), _NUMBER),
    "object_kind": _TEXT,
    **dict.fromkeys(("status", "sent_bytes"), _NUMBER),
}
EVENT_SCHEMA: Final = StructType([StructField(name, kind, nullable=True) for name, kind in _FIELDS.items()])
"""What the jobs read of an event (`marquee.events.viewing.ViewingEvent`)."""
BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "position_seconds": (0, MAX_POSITION_SECONDS),
    "duration_ms": (0, MAX_DURATION_MS),
    # A player that reports changes of its state alone says at its end what it showed in hours.
    "watched_ms": (0, MAX_DURATION_MS),
    "height": (1, MAX_HEIGHT),
    "kbps": (0, MAX_KBPS),
    "count": (0, MAX_COUNT),
    "results": (0, MAX_COUNT),
    "place": (1, MAX_PLACE),
    "sent_bytes": (0, MAX_SENT_BYTES),
}
"""What a figure of an event may be. Without bounds one number of 63 bits ends the job with an overflow, for every viewer."""
REQUIRED: Final = ("event_id", "kind", "source", "at_ms", "received_at_ms")
_WILD: Final = re.compile(r"[\[\]{}*?\\]")
_PATH: Final = re.compile(r"((?:file:/+|s3a?://)[^\s'\"]+?\.parquet)")


@dataclass(frozen=True)
class EventFile:
    """A live file: where Spark reads it, and what the lake's list says of it."""

    uri: str
    rows: int
    bytes: int
    hour: datetime

    @property
    def pattern(self) -> str:
        """The file for Spark, which takes every name for a pattern: a folder may be called `films [2026]`."""
        return _WILD.sub(r"\\\g<0>", self.uri)


def frame_of(spark: SparkSession, files: Sequence[EventFile]) -> DataFrame:
    """The events of the files, unchecked."""
    if not files:
        return spark.createDataFrame([], EVENT_SCHEMA)
    # Without the look-up of partitions: date and hour stand in the path only.
    return (
        spark.read.schema(EVENT_SCHEMA).option("recursiveFileLookup", "true").parquet(*[each.pattern for each in files])
    )


def credible(events: DataFrame) -> DataFrame:
    """The events; a figure out of its `BOUNDS`, or that is no number, becomes null: the event does not say it."""
    return events.withColumns(
        {name: f.when(f.col(name).between(least, most), f.col(name)) for name, (least, most) in BOUNDS.items()}
    )


class EventsRead:
    """A frame of events, and the check of what was read: call `check` after the first action on the frame."""

    def __init__(self, spark: SparkSession, files: Sequence[EventFile]) -> None:
        self._files = files
        self._observed = Observation()
        for file in files:
            _check_size(file)
        read = frame_of(spark, files)
        if not files:
            self.frame: DataFrame = read
            return
        lacks = f.lit(False)
        for name in REQUIRED:
            lacks = lacks | f.col(name).isNull()
        self.frame = (
            read.withColumn("file", f.col("_metadata.file_path"))
            .observe(
                self._observed,
                f.count(f.lit(1)).alias("rows"),
                f.max(f.when(lacks, f.col("file"))).alias("poisoned"),
            )
            .drop("file")
        )

    def check(self) -> int:
        """How many events were read. Raises `EventsUnusable` for an event without a required field, or missing rows."""
        if not self._files:
            return 0
        observed: dict[str, Any] = self._observed.get
        if observed["poisoned"] is not None:
            raise EventsUnusable(
                f"{observed['poisoned']} holds an event without {', '.join(REQUIRED[:-1])} or {REQUIRED[-1]}: {_REMEDY}"
            )
        expected = sum(each.rows for each in self._files)
        if observed["rows"] != expected:
            raise EventsUnusable(
                f"{len(self._files)} files hold {observed['rows']} events and the lake's list says {expected}: {_REMEDY}"
            )
        return expected


_REMEDY: Final = "take the file out of the lake's list, or put it right, and run the job again. Nothing was changed."


def _check_size(file: EventFile) -> None:
    if "://" in file.uri:
        return
    try:
        found = Path(file.uri).stat().st_size
    except OSError as error:
        raise EventsUnusable(f"{file.uri} cannot be read ({error.strerror}): {_REMEDY}") from error
    if found != file.bytes:
        raise EventsUnusable(f"{file.uri} has {found} bytes and the lake's list says {file.bytes}: {_REMEDY}")


@contextmanager
def spark_errors(state: Path) -> Iterator[None]:
    """Translate what Spark raises into a sentence: `EventsUnusable` with the file's name, or `PlatformUnavailable`."""
    from py4j.protocol import Py4JError, Py4JNetworkError

    try:
        yield
    except (PySparkException, Py4JError) as error:
        told = str(error)
        if isinstance(error, Py4JNetworkError) or "Answer from Java side is empty" in told:
            raise PlatformUnavailable(
                "Spark's JVM ended in the middle of the job: raise MARQUEE_SPARK_MEMORY_BYTES if it ran out of memory."
            ) from error
        if "No space left on device" in told:
            raise disk_full(state) from error
        if (file := _PATH.search(told)) is not None:
            raise EventsUnusable(f"{file[1]} cannot be read: {_reason(told)}: {_REMEDY}") from error
        raise


def _reason(told: str) -> str:
    """The last cause that Java names, which is the one that says what is wrong."""
    causes = re.findall(r"Caused by: [\w.$]+: ([^\n]+)", told)
    return (causes[-1] if causes else told.strip().splitlines()[0])[:300].rstrip(". ")
