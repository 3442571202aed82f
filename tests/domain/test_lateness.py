"""What of analytics is late, at its bounds, and that a platform without events is never late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.lateness import (
    BATCH_SECONDS,
    EDGE_LOG_SECONDS,
    SINK_SECONDS,
    Accepted,
    Arrivals,
    told,
    watched,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0)
IN_TIME = Arrivals(NOW, 0.0, 0.0, 400, 200, {"popularity": Accepted(MIDNIGHT, MIDNIGHT)}, {})


def late(now: Arrivals) -> dict[str, str]:
    return {one.name: one.sentence for one in watched(now) if one.is_late}


def test_each_thing_is_late_past_its_bound_and_not_at_it() -> None:
    assert late(IN_TIME) == {}
    unseen = {"popularity": Accepted(MIDNIGHT, NOW - timedelta(seconds=BATCH_SECONDS))}
    at_the_bound = Arrivals(NOW, SINK_SECONDS, EDGE_LOG_SECONDS, 200, 200, unseen, {})
    assert late(at_the_bound) == {}
    older = {"popularity": Accepted(MIDNIGHT, NOW - timedelta(seconds=BATCH_SECONDS + 1))}
    past = Arrivals(NOW, SINK_SECONDS + 1, EDGE_LOG_SECONDS + 1, 199, 200, older, {})
    assert set(late(past)) == {"event-sink", "edge-logs", "events", "popularity"}


def test_a_sentence_says_how_late_why_and_what_to_do() -> None:
    hours = late(replace(IN_TIME, sink_lag_seconds=3 * 3600.0))
    assert hours["event-sink"].startswith("The oldest event that is not in the lake is 3 hours old: see whether")
    stopped = late(replace(IN_TIME, last_hour_rows=0, fewest_rows=250))
    assert "has 0 events in the lake, and 250 or more are usual" in stopped["events"]
    old = Accepted(NOW - timedelta(days=3), NOW - timedelta(days=3))
    refused = late(replace(IN_TIME, accepted={"similar": old}, refused={"similar": "half of the rows"}))
    assert "held back: half of the rows." in refused["similar"]
    assert "newer ones wait for 3 days" in refused["similar"]
    assert "`marquee analytics run`" in refused["similar"]
    never = late(replace(IN_TIME, accepted={"marts": Accepted(None, NOW - timedelta(days=4))}))
    assert "marts of the engineers' pages have seen no events" in never["marts"]


@given(st.none() | st.datetimes(timezones=st.just(UTC)))
def test_a_batch_that_has_seen_everything_is_never_late(through: datetime | None) -> None:
    seen = Accepted(through, None)
    assert late(replace(IN_TIME, last_hour_rows=0, fewest_rows=0, accepted={"popularity": seen})) == {}


@given(st.floats(0, 1e9))
def test_an_age_has_a_unit(seconds: float) -> None:
    number, unit = told(seconds).split()
    assert 0 <= int(number) <= 11_575
    assert unit in ("s", "minutes", "hours", "days")
