"""The order of the positions that Valkey gives its records."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.stores.event_log.valkey.records import order


@given(st.lists(st.tuples(st.integers(0, 2**48), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_positions_are_ordered_by_number(positions: list[tuple[int, int]]) -> None:
    written = [f"{milliseconds}-{sequence}" for milliseconds, sequence in positions]
    assert sorted(written, key=order) == [f"{a}-{b}" for a, b in sorted(positions)]
