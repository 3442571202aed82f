"""The columns of the lake's viewing events, made from `ViewingEvent`: one column a field, every column nullable.

A field that is added to `ViewingEvent` becomes a column of new files; older files are read with nulls in it (`with_columns`). A
column that this version does not know is kept when files are rewritten. Fields of a newer writer that this version's sink does
not know are left out: install the new version of the sink first.
"""

import types
from collections.abc import Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from marquee.events.viewing import ViewingEvent
from marquee.stores.lake.arrow import arrow


def _plain(annotation: Any) -> type:
    """The one type that a field's values have, without None."""
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        [kept] = [each for each in get_args(annotation) if each is not type(None)]
        return _plain(kept)
    if annotation not in (str, int, float, bool):
        raise TypeError(f"A viewing event's field of the type {annotation} has no column: give it one here.")
    return annotation  # type: ignore[no-any-return]


FIELDS: Final[Mapping[str, type]] = {field.name: _plain(field.type) for field in msgspec.structs.fields(ViewingEvent)}
"""Name -> str, int, float or bool, in the order of the columns."""


@cache
def event_schema() -> Any:
    """The `pyarrow.Schema` of files that are written now."""
    pa = arrow()
    columns = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return pa.schema([pa.field(name, columns[kind]) for name, kind in FIELDS.items()])


_VALUES: Final = attrgetter(*FIELDS)


def table_of(events: Sequence[ViewingEvent]) -> Any:
    """The events as a `pyarrow.RecordBatch`, in their order."""
    pa, schema = arrow(), event_schema()
    columns = zip(*map(_VALUES, events), strict=True) if events else [()] * len(FIELDS)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def with_columns(table: Any, schema: Any) -> Any:
    """A table in the columns of `schema`: missing ones are null. Raises `pyarrow.ArrowInvalid` for a column of another type."""
    pa = arrow()
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def joined_schema(schemas: Sequence[Any]) -> Any:
    """The columns of all: those of this version first, then what older or newer files have besides."""
    return arrow().unify_schemas([*schemas], promote_options="permissive")
