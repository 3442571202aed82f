"""The columns of the lake are those of `ViewingEvent`: fields come and go between versions, and rows keep what they had."""

import sys
from typing import Any, get_args

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.events.viewing import EVENT_KINDS, EventSource, ViewingEvent
from marquee.settings import Settings
from marquee.stores.lake import open_lake_files
from marquee.stores.lake.arrow import arrow
from marquee.stores.lake.event_columns import FIELDS, event_schema, joined_schema, table_of, with_columns
from tests.harness.lake.events import event

VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
MANDATORY = {"event_id", "kind", "source", "at_ms", "received_at_ms", "is_preview"}
EVENTS = st.fixed_dictionaries(
    {name: VALUES[kind] if name in MANDATORY else st.none() | VALUES[kind] for name, kind in FIELDS.items()}
    | {"kind": st.sampled_from(EVENT_KINDS), "source": st.sampled_from(get_args(EventSource))}
).map(lambda fields: ViewingEvent(**fields))


@given(st.lists(EVENTS, max_size=20))
def test_every_field_of_every_event_is_a_column_with_its_value(events: list[ViewingEvent]) -> None:
    assert table_of(events).to_pylist() == [msgspec.structs.asdict(each) for each in events]


def test_each_column_may_be_null() -> None:
    assert event_schema().names == [field.name for field in msgspec.structs.fields(ViewingEvent)]
    assert all(field.nullable for field in event_schema())


def test_an_older_file_is_read_with_nulls_in_the_columns_that_it_lacks() -> None:
    older = pa.Table.from_batches([table_of([event(1)])]).drop_columns(["watched_ms", "cache"])
    [row] = with_columns(older, event_schema()).to_pylist()
    assert row == {**msgspec.structs.asdict(event(1)), "watched_ms": None}


def test_a_column_of_a_newer_version_is_kept_beside_ours() -> None:
    newer = event_schema().append(pa.field("new", pa.string()))
    older = pa.schema([pa.field("event_id", pa.string())])
    assert joined_schema([event_schema(), newer, older]).names == [*FIELDS, "new"]


def test_an_older_sink_reads_the_record_of_a_newer_writer() -> None:
    newer = msgspec.json.encode({**msgspec.structs.asdict(event(1)), "battery_share": 0.4})
    assert msgspec.json.decode(newer, type=ViewingEvent) == event(1)


def test_without_pyarrow_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PlatformUnavailable, match="make analytics"):
        arrow()


@pytest.mark.parametrize("url", ["gopher://x", "file://host/lake", "file:///", "s3://bucket/folder", "/lake"])
def test_a_url_that_names_no_lake_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(SettingsInvalid, match="MARQUEE_LAKE_URL"):
        open_lake_files(settings.model_copy(update={"lake_url": url}))
