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
