"""Cursors: a signed position is read back, and anything else is refused with one sentence that names the field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import Cursors, split_page
from marquee.errors import CursorInvalid

CURSORS = Cursors("a secret of this test")
KINDS = st.text(min_size=1, max_size=40)
POSITIONS = st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=40))


@given(KINDS, POSITIONS)
def test_a_position_is_read_back_as_it_was_signed(kind: str, position: tuple[float, str]) -> None:
    assert CURSORS.read(kind, CURSORS.sign(kind, list(position)), tuple[float, str]) == position


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_keeps_its_microseconds(moment: datetime) -> None:
    cursor = CURSORS.sign("history", [moment.isoformat(), "m_1"])
    assert CURSORS.read("history", cursor, tuple[datetime, str]) == (moment, "m_1")


@given(KINDS, KINDS, POSITIONS)
def test_a_cursor_opens_only_the_kind_of_page_that_signed_it(kind: str, other: str, position: Any) -> None:
    if kind != other:
        with pytest.raises(CursorInvalid, match="was not issued by this page"):
            CURSORS.read(other, CURSORS.sign(kind, list(position)), tuple[float, str])


@given(st.text(min_size=1, max_size=300))
def test_what_nobody_signed_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid) as refused:
        CURSORS.read("home", text, str)
    assert refused.value.field == "cursor", "the client is not told which input is at fault"
    assert refused.value.detail == "cursor was not issued by this page: ask for the first page again."


def test_a_cursor_of_another_secret_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.read("home", Cursors("another secret").sign("home", "genre-drama"), str)


@pytest.mark.parametrize("position", ["m_1", 7, None, [], ["1.5", "m_1"], [1.5, "m_1", "more"], {"at": 1.5}])
def test_a_position_of_another_form_is_refused(position: object) -> None:
    with pytest.raises(CursorInvalid, match="has an older format"):
        CURSORS.read("row:genre-drama", CURSORS.sign("row:genre-drama", position), tuple[float, str])


@pytest.mark.parametrize("empty", [None, ""])
def test_without_a_cursor_the_first_page_is_meant(empty: str | None) -> None:
    assert CURSORS.read("home", empty, str) is None


@given(st.lists(st.integers(), max_size=20), st.integers(min_value=1, max_value=10))
def test_a_page_is_cut_from_one_item_more(found: list[int], limit: int) -> None:
    page, more = split_page(found[: limit + 1], limit)
    assert list(page) == found[:limit], "the page's items changed"
    assert more == (len(found) > limit), "whether another page follows is wrong"
