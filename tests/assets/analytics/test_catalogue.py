"""A bad import of titles holds the chain back; a small catalogue with a copy in it does not."""

import psycopg

from marquee.settings import Settings
from tests.assets.analytics.conftest import Run, failed_checks
from tests.harness.facts import add_title


def test_impossible_titles_copies_and_a_lost_half_are_found(
    run: Run, connection: psycopg.Connection, own_settings: Settings
) -> None:
    def check() -> str:
        return failed_checks(run("analytics_marts", only=["catalogue"])).get("catalogue_is_sound", "")

    assert check() == "", "an empty catalogue is sound"
    for number in range(150):
        add_title(connection, f"m_{number}", f"Film {number}")
    add_title(connection, "m_copy", "Film 1")
    assert check() == "", "one copy is no bad import"
    connection.execute("UPDATE title SET year = 12 WHERE movie_id IN ('m_3', 'm_4')")
    assert "A film is of 1870 to 2100: 2 of 151 rows" in check()
    connection.execute("UPDATE title SET year = NULL, duration_seconds = 1e9 WHERE movie_id IN ('m_3', 'm_4')")
    assert "24 hours long: 2 of 151 rows" in check()
    connection.execute("UPDATE title SET duration_seconds = NULL, title = ' ' WHERE movie_id = 'm_3'")
    connection.execute("UPDATE title SET duration_seconds = NULL WHERE movie_id = 'm_4'")
    assert "Every title has a name: 1 of 151 rows" in check()
    connection.execute(
        "UPDATE title SET title = 'Film 7' WHERE title = ' ' OR movie_id IN (SELECT movie_id FROM title LIMIT 30)"
    )
    assert "are of one title" in check()
    connection.execute("DELETE FROM title WHERE movie_id IN (SELECT movie_id FROM title LIMIT 140)")
    assert "The catalogue has 75 titles or more" in check()


def test_the_usual_number_is_of_judged_titles_and_of_a_run_that_passed(
    run: Run, connection: psycopg.Connection
) -> None:
    def check(**config: bool) -> str:
        options = {"run_config": {"ops": {"catalogue_catalogue_is_sound": {"config": config}}}} if config else {}
        return failed_checks(run("analytics_marts", only=["catalogue"], **options)).get("catalogue_is_sound", "")

    for number in range(100):
        add_title(connection, f"m_{number}", f"Film {number}")
    connection.execute("UPDATE title SET state = 'refused' WHERE movie_id < 'm_64'")
    [judged] = connection.execute("SELECT count(*) FROM title WHERE state <> 'refused'").fetchone() or [0]
    assert 20 < judged < 50
    assert check() == ""
    assert check() == "", "refused titles are in the usual number, and not in the judged one"
    connection.execute("DELETE FROM title WHERE movie_id < 'm_94'")
    fewer = f"The catalogue has {judged // 2} titles or more"
    assert fewer in check()
    assert fewer in check(), "a run that was refused says what is usual"
    assert check(accept_smaller=True) == ""
    assert check() == "", "what a person let pass is usual from then on"
