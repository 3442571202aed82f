"""A group's place in a Kafka partition, as arithmetic: nothing unacknowledged is skipped, nothing acknowledged comes again."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.errors import CursorInvalid
from marquee.stores.event_log.kafka.place import MAX_RUNS, MAX_STORED_BYTES, Place
from marquee.stores.event_log.kafka.records import parse_cursor, write_cursor

OFFSETS = st.integers(0, 60)
# What happens to a place: the next so many records are given, some are acknowledged, reading begins again, another takes over.
GIVE = st.tuples(st.just("give"), st.integers(1, 9))
ACKNOWLEDGE = st.tuples(st.just("acknowledge"), st.lists(OFFSETS, max_size=6))
EVENTS = st.lists(st.one_of(GIVE, ACKNOWLEDGE, st.just(("rewind", 0)), st.just(("take over", 0))), max_size=40)


@given(EVENTS, st.sets(OFFSETS))
def test_a_place_agrees_with_a_list_of_what_was_acknowledged(
    events: list[tuple[str, int | list[int]]], holes: set[int]
) -> None:
    """Against the plain thing: a set of acknowledged offsets and a count for each; `holes` have no record."""
    place, done, times = Place(0), set[int](), dict[int, int]()
    for kind, what in events:
        if kind == "give":
            assert isinstance(what, int)
            stretch = [offset for offset in range(place.position, 61) if offset not in holes][:what]
            before, place = place, place.give(stretch)
            for offset in stretch:
                times[offset] = times.get(offset, 0) + 1
            if stretch:
                done |= {offset for offset in range(before.position, stretch[-1]) if offset in holes}
        elif kind == "acknowledge":
            assert isinstance(what, list)
            place = place.acknowledge(what)
            done |= set(what)
        elif kind == "rewind":
            place = place.rewound()
        else:
            before, place = place, Place.restored(place.next, place.stored())
            assert place.is_stored_as(before), "a member would take its own place for another member's"
        assert {offset for offset in range(61) if place.is_acknowledged(offset)} == done
        assert place.next == next(offset for offset in range(62) if offset not in done)
        assert place.count_unacknowledged(begin=0, end=61) == 61 - len(done)
        assert place.position >= place.next
        for offset, count in times.items():
            if offset >= place.next and len(place.delivery_runs) <= MAX_RUNS:
                assert place.times_given(offset) == count, f"offset {offset} in {place}"


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=3000, unique=True))
def test_what_is_written_down_fits_and_never_says_too_much(acknowledged: list[int]) -> None:
    place = Place(0).acknowledge(acknowledged)
    stored = place.stored()
    assert len(stored) <= MAX_STORED_BYTES
    again = Place.restored(place.next, stored)
    assert again.next == place.next
    assert set(again.acknowledged_ranges) <= set(place.acknowledged_ranges), (
        "a range came back that was not acknowledged"
    )


def test_a_log_that_came_back_younger_begins_anew() -> None:
    place = Place(100).give([100, 101]).acknowledge([100])
    assert place.give([0, 1, 2]) == Place(0).give([0, 1, 2])


def test_what_was_trimmed_counts_as_acknowledged() -> None:
    place = Place(0).give([10_000_000_000])
    assert (place.next, place.position) == (10_000_000_000, 10_000_000_001)


@given(st.text(max_size=30))
def test_a_string_of_somebody_elses_says_nothing_wrong(text: str) -> None:
    place = Place.restored(7, text)
    assert place.next == 7
    assert not place.is_acknowledged(7)


@given(st.dictionaries(st.integers(0, 999), st.integers(0, 2**53), max_size=8))
def test_a_cursor_is_read_as_it_was_written(places: dict[int, int]) -> None:
    assert parse_cursor(write_cursor(places)) == places


@given(st.text(min_size=1, max_size=20))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        places = parse_cursor(text)
    except CursorInvalid:
        return
    assert all(offset >= 0 for offset in places.values())
