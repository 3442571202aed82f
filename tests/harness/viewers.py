"""A platform with some days of viewers in its lake, for tests of the chain of analytics: PostgreSQL and a lake in a folder."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from marquee.settings import Settings
from marquee.stores.schema.migrate import migrate
from tests.harness.chain import write_environment
from tests.jobs.spark.frames import NOON_MS, Events
from tests.jobs.spark.lakes import add_title, store

PROFILES, MOVIES = 8, 10


def platform_with_viewers(server: Settings, database: str, folder: Path, days: list[date]) -> Settings:
    """Eight profiles watch three of ten films on each of the days. The settings stand in the state folder too."""
    migrate(database)
    told = {"state": folder / "state", "database_url": database, "lake_url": f"file://{folder / 'lake'}"}
    settings = server.model_copy(update=told)
    settings.state.mkdir()
    write_environment(settings)
    for movie in range(MOVIES):
        add_title(settings, f"m_{movie}", title=f"Film {movie}", genres=["Drama", "Comedy"][movie % 2 :][:1])
    for day in days:
        watch(settings, day, folder)
    return settings


def watch(settings: Settings, day: date, folder: Path, *, name: str = "", profiles: int = PROFILES) -> None:
    """Sessions of a day. `name` tells those of a second call apart."""
    events, noon = Events(), datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    shift = noon.timestamp() - NOON_MS / 1000
    for profile in range(profiles):
        for number in range(3):
            movie = (profile + number * (day.day % 3 + 1)) % MOVIES
            told = {"profile_id": f"p_{name}{profile}", "movie_id": f"m_{movie}"}
            events.play(f"v_{day}{name}_{profile}_{number}", shift + 60 * number, watched=90, **told)
    for number, row in enumerate(events.rows):
        row["event_id"] = f"{day}{name}{number}"
    store(settings, events.rows, folder)


def last_days(count: int) -> list[date]:
    """The days before today, the oldest first."""
    today = datetime.now(UTC).date()
    return [today - timedelta(days=age) for age in range(count, 0, -1)]
