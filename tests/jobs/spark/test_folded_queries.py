"""Searches of a day by what search folds them to, without a JVM."""

from jobs.spark.daily import by_folded_query


def test_spellings_are_one_query_and_one_person_is_no_two_profiles() -> None:
    rows = [("Léon ", 4, 1, 2, 3, 1), ("leon", 2, 0, 1, 1, 2), ("my name", 9, 9, 0, 0, 1), ("   ", 1, 1, 0, 0, 1)]
    assert list(by_folded_query(rows)) == [("leon", 6, 1, 3, 4, 2), ("my name", 9, 9, 0, 0, 1)]


def test_what_names_a_person_is_not_a_query_of_a_report() -> None:
    rows = [("jane@example.com", 2, 2, 0, 0, 2), ("(personal)", 1, 1, 0, 0, 1), ("personal", 4, 0, 1, 1, 4)]
    assert list(by_folded_query(rows)) == [("(personal)", 3, 3, 0, 0, 2), ("personal", 4, 0, 1, 1, 4)]
