"""Records of the event log as columns, by hour. Blocks for milliseconds: run it in a thread.

A record that cannot be read, or whose moment is absurd, does not stop the others: it is returned with its reason. Rows stay in
the order of the log, which is that of each session.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from marquee.domain.event_time import HOUR_MS, fault_of_moment, hour_number
from marquee.events.viewing import ViewingEvent
from marquee.stores.event_log.contract import Record
from marquee.stores.lake.arrow import arrow, compute, parquet
from marquee.stores.lake.event_columns import table_of

MAX_EVENT_BYTES: Final = 64 * 1024
"""An event is a few hundred bytes."""
COMPRESSION: Final = "zstd"
COMPRESSION_LEVEL: Final = 3

_DECODER: Final = msgspec.json.Decoder(ViewingEvent)
_ESCAPED_NUL: Final = rb"\u0000"
"""PostgreSQL holds no text with this character, so nothing that is found in such an event could be stored."""


@dataclass(frozen=True)
class Batch:
    """`by_hour`: hour -> `pyarrow.RecordBatch`. `dead`: records that cannot be kept, each with the reason."""

    by_hour: Mapping[datetime, Any]
    dead: Sequence[tuple[Record, str]]
    size_bytes: int
    """Of the columns in memory."""


def read_batch(records: Sequence[Record]) -> Batch:
    """Decode the records into columns by hour."""
    events: dict[int, list[tuple[Record, ViewingEvent]]] = defaultdict(list)
    dead: list[tuple[Record, str]] = []
    for record in records:
        try:
            event = _read(record)
        except UnreadableEvent as error:
            dead.append((record, str(error)))
        else:
            events[hour_number(event.at_ms)].append((record, event))
    by_hour: dict[datetime, Any] = {}
    for number, found in events.items():
        columns, unfit = _columns(found)
        dead += unfit
        if columns is not None:
            by_hour[datetime.fromtimestamp(number * HOUR_MS / 1000, UTC)] = columns
    return Batch(by_hour, dead, sum(columns.nbytes for columns in by_hour.values()))


def _columns(found: Sequence[tuple[Record, ViewingEvent]]) -> tuple[Any | None, list[tuple[Record, str]]]:
    """The events as columns, and those that have a value which no column holds, such as a number of 70 bits."""
    try:
        return table_of([event for _, event in found]), []
    except (arrow().ArrowException, OverflowError, UnicodeError) as error:
        if len(found) == 1:
            return None, [(found[0][0], f"It has a value that no column holds: {error}")]
    halves = [_columns(found[: len(found) // 2]), _columns(found[len(found) // 2 :])]
    kept = [columns for columns, _ in halves if columns is not None]
    whole = arrow().Table.from_batches(kept).combine_chunks().to_batches() if kept else [None]
    return whole[0], [each for _, unfit in halves for each in unfit]


class UnreadableEvent(ValueError):
    """The record is not a viewing event that the lake can hold."""


def _read(record: Record) -> ViewingEvent:
    if len(record.value) > MAX_EVENT_BYTES:
        raise UnreadableEvent(f"It has {len(record.value)} bytes; an event has at most {MAX_EVENT_BYTES}.")
    if _ESCAPED_NUL in record.value:
        raise UnreadableEvent("It has the character U+0000.")
    try:
        event = _DECODER.decode(record.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvent(f"Not a viewing event: {error}") from error
    if fault := fault_of_moment(event.at_ms, record.published_at_ms):
        raise UnreadableEvent(fault)
    return event


def written(batches: Sequence[Any], erased: frozenset[str]) -> tuple[int, memoryview] | None:
    """One hour's Parquet file of these columns without the rows of erased profiles: (rows, bytes). None: no row is left."""
    pa, pq = arrow(), parquet()
    table = pa.Table.from_batches(batches)
    if erased:
        table = without_profiles(table, erased)
    if not table.num_rows:
        return None
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL)
    return table.num_rows, memoryview(buffer.getvalue())


def without_profiles(table: Any, profile_ids: frozenset[str]) -> Any:
    """The rows of all other profiles, and those without a profile."""
    pa, pc = arrow(), compute()
    is_erased = pc.is_in(table.column("profile_id"), value_set=pa.array(sorted(profile_ids), pa.string()))
    return table.filter(pc.invert(is_erased))
