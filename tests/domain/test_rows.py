"""The order of a profile's rows: always the same rows, the default order for little watched, and no leap for a small change."""

import math

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.rows import (
    GENRES,
    HALF_CERTAIN_SECONDS,
    LITTLE_WATCHED_SECONDS,
    ROWS,
    genre_row_id,
    personal_order,
)

MANY_HOURS = 1000 * 3600.0
names = st.sampled_from([*GENRES, "science fiction", "DRAMAS", "Unheard of", ""])
any_shares = st.dictionaries(names, st.floats(), max_size=30)
good_shares = st.dictionaries(st.sampled_from(GENRES), st.floats(0.001, 1), min_size=1)
hours = st.floats(0, 10_000).map(lambda value: 3600.0 * value)


def place(genre: str, shares: dict[str, float], seconds: float) -> int:
    return [row.row_id for row in personal_order(shares, seconds)].index(genre_row_id(genre))


@given(any_shares, st.floats())
def test_whatever_is_known_of_a_profile_it_has_the_same_rows(shares: dict[str, float], seconds: float) -> None:
    order = personal_order(shares, seconds)
    assert sorted(row.row_id for row in order) == sorted(row.row_id for row in ROWS)
    assert order[:3] == ROWS[:3], "a row that is no genre's moved"


@given(any_shares, st.floats(max_value=LITTLE_WATCHED_SECONDS))
def test_a_profile_with_little_watched_has_the_default_order(shares: dict[str, float], seconds: float) -> None:
    assert personal_order(shares, seconds) == ROWS


@given(good_shares, hours, st.sampled_from([0.25, 2.0, 64.0]))
def test_only_the_relation_of_shares_counts(shares: dict[str, float], seconds: float, factor: float) -> None:
    scaled = {genre: share * factor for genre, share in shares.items()}
    assert personal_order(scaled, seconds) == personal_order(shares, seconds)


@given(good_shares, hours, st.sampled_from(GENRES))
def test_a_genre_that_is_watched_more_never_falls(shares: dict[str, float], seconds: float, genre: str) -> None:
    more = {**shares, genre: shares.get(genre, 0.0) + 0.5}
    assert place(genre, more, seconds) <= place(genre, shares, seconds)


@given(good_shares, hours)
def test_among_genres_watched_alike_the_default_order_stays(shares: dict[str, float], seconds: float) -> None:
    order = [row.genre for row in personal_order(dict.fromkeys(shares, 0.25), seconds)]
    for group in (set(shares), set(GENRES) - set(shares)):
        alike = [genre for genre in order if genre in group]
        assert alike == [genre for genre in GENRES if genre in group]


@given(good_shares)
def test_more_watching_moves_the_favourite_up_and_never_down(shares: dict[str, float]) -> None:
    favourite = max(shares, key=lambda genre: shares[genre])
    seen = [place(favourite, shares, LITTLE_WATCHED_SECONDS + 3600.0 * n) for n in (0, 1, 5, 20, 100, 10_000)]
    assert seen == sorted(seen, reverse=True)


def test_a_western_fan_sees_westerns_first_and_after_one_film_does_not() -> None:
    shares = {"Western": 0.7, "Drama": 0.3}
    assert place("Western", shares, MANY_HOURS) == 3
    assert place("Western", shares, LITTLE_WATCHED_SECONDS) == 3 + GENRES.index("Western")
    half = place("Western", shares, LITTLE_WATCHED_SECONDS + HALF_CERTAIN_SECONDS)
    assert 3 < half < 3 + GENRES.index("Western"), "half certain is neither the default nor the first place"
    assert personal_order({"western": 1.0, "Nonsense": math.inf, "War": math.nan}, MANY_HOURS)[3].genre == "Western"
