"""What people paste into a search by mistake is not kept: who asked could be read from it."""

import pytest

from marquee.domain.telemetry import MAX_QUERY_CHARACTERS, PERSONAL_QUERY, folded_query, is_personal

PERSONAL = (
    "Jane.Doe@example.com",
    "mail to jane@localhost please",
    "jane\uff20example\uff0ecom",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "+49 (30) 901820-00",
    "٠١٢٣٤٥٦٧٨٩",
    "x" * 200 + " jane@example.com",
    PERSONAL_QUERY,
)
TITLES = (
    "2001: A Space Odyssey",
    "@midnight",
    "1984",
    "Ocean's 8",
    "The 39 Steps",
    "se7en",
    "10000 BC",
    "1917 2019",
    "@ home",
)


@pytest.mark.parametrize("query", PERSONAL)
def test_addresses_and_long_numbers_are_not_kept(query: str) -> None:
    assert folded_query(query) == PERSONAL_QUERY


@pytest.mark.parametrize("query", TITLES)
def test_titles_are_kept(query: str) -> None:
    assert not is_personal(query)
    assert folded_query(query) == " ".join(query.casefold().split())


def test_a_query_without_end_is_cut() -> None:
    assert len(folded_query("é " * 5000)) <= MAX_QUERY_CHARACTERS
