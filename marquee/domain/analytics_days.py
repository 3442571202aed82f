"""Which days a run of analytics makes: `--day`, or `--from` and `--to`, else yesterday. All days are UTC."""

from datetime import date, timedelta
from typing import Final

from marquee.errors import InputInvalid

FIRST_DAY: Final = date(2026, 1, 1)
"""The first day that has a partition."""


def days_asked(today: date, *, day: date | None, first: date | None, last: date | None) -> tuple[date, date]:
    """The first and the last day. Raises `InputInvalid` for days that contradict each other, have not begun, or are too old."""
    if day and (first or last):
        raise InputInvalid("--day is one day, --from and --to are a range: give one of both.", field="day")
    if last and not first:
        raise InputInvalid("--to needs --from, the first day of the range.", field="from")
    begin = day or first or today - timedelta(days=1)
    end = day or last or (max(begin, today - timedelta(days=1)) if first else begin)
    if begin > end:
        raise InputInvalid(f"--from is {begin}, after --to {end}: exchange them.", field="from")
    if end > today:
        raise InputInvalid(f"{end} has not begun: today is {today} (UTC).", field="to" if last else "day")
    if begin < FIRST_DAY:
        raise InputInvalid(
            f"{begin} is before {FIRST_DAY}, the first day of analytics.", field="from" if first else "day"
        )
    return begin, end
