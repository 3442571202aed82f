"""A figure beside a limit never reads as the limit, or as a figure on its other side."""

from hypothesis import example, given
from hypothesis import strategies as st

from marquee.domain.figures import beside_limit

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


@given(value=NUMBERS, limit=NUMBERS, decimals=st.integers(0, 3))
@example(value=5.02, limit=5.0, decimals=0)
@example(value=59.96, limit=60.0, decimals=1)
@example(value=5.0 + 1e-9, limit=5.0, decimals=0)
def test_the_text_stands_where_the_value_stands(value: float, limit: float, decimals: int) -> None:
    text = beside_limit(value, limit, decimals)
    assert (float(text) > limit, float(text) < limit) == (value > limit, value < limit), f"{value} reads as {text}"


@given(near=st.integers(-1000, 1000), limit=st.integers(-10, 10))
def test_a_figure_close_to_the_limit_gets_the_decimals_that_it_needs(near: int, limit: int) -> None:
    value = limit + near * 1e-4
    text = beside_limit(value, limit)
    assert (float(text) > limit, float(text) < limit) == (value > limit, value < limit), f"{value} reads as {text}"
    assert len(text.partition(".")[2]) <= 4 or abs(near) == 0


def test_far_from_the_limit_nothing_is_added() -> None:
    assert beside_limit(29.7, 5) == "30"
    assert beside_limit(5.02, 5) == "5.02"
    assert beside_limit(5.0, 5) == "5"
