"""Which days a run of analytics makes, and which are refused with a sentence."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.analytics_days import FIRST_DAY, days_asked
from marquee.errors import InputInvalid

TODAY = date(2026, 12, 3)
YESTERDAY = date(2026, 12, 2)
days = st.none() | st.dates(date(2025, 12, 1), date(2027, 2, 1))


def test_without_options_it_is_yesterday_and_a_range_ends_there() -> None:
    assert days_asked(TODAY, day=None, first=None, last=None) == (YESTERDAY, YESTERDAY)
    assert days_asked(TODAY, day=TODAY, first=None, last=None) == (TODAY, TODAY)
    assert days_asked(TODAY, day=None, first=date(2026, 11, 1), last=None) == (date(2026, 11, 1), YESTERDAY)
    assert days_asked(TODAY, day=None, first=TODAY, last=None) == (TODAY, TODAY)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"day": date(2026, 12, 4)}, "2026-12-04 has not begun: today is 2026-12-03"),
        ({"day": YESTERDAY, "first": YESTERDAY}, "give one of both"),
        ({"last": YESTERDAY}, "--to needs --from"),
        ({"first": TODAY, "last": YESTERDAY}, "--from is 2026-12-03, after --to 2026-12-02"),
        ({"day": date(2025, 12, 31)}, "2025-12-31 is before 2026-01-01"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, date], sentence: str) -> None:
    with pytest.raises(InputInvalid, match=sentence):
        days_asked(TODAY, **{"day": None, "first": None, "last": None, **asked})


@given(days, days, days)
def test_what_is_accepted_is_a_range_of_days_that_have_begun(
    day: date | None, first: date | None, last: date | None
) -> None:
    try:
        begin, end = days_asked(TODAY, day=day, first=first, last=last)
    except InputInvalid:
        return
    assert FIRST_DAY <= begin <= end <= TODAY
    assert end - begin <= timedelta(days=400)
