"""Resume positions: where each viewer stopped in each title. The URL's scheme chooses the engine."""

from typing import Final

from marquee.stores.connections.urls import scheme_of
from marquee.stores.resume_positions.contract import MovableResumePositions, ResumePositions

SETTING: Final = "MARQUEE_RESUME_POSITIONS_URL"
READ_ALSO_SETTING: Final = "MARQUEE_RESUME_POSITIONS_READ_ALSO_URL"


def open_resume_positions(url: str, *, read_also: str = "") -> ResumePositions:
    """The store at this URL. `read_also`: URL of a second store that reads ask too (see `both`). Raises `SettingsInvalid`."""
    written = open_movable(url)
    if not read_also:
        return written
    from marquee.stores.resume_positions.both import BothResumePositions

    return BothResumePositions(written, open_movable(read_also, setting=READ_ALSO_SETTING))


def open_movable(url: str, *, setting: str = SETTING) -> MovableResumePositions:
    """The store at this URL with the methods that a move needs. Raises `SettingsInvalid`, naming `setting`."""
    match scheme_of(url, setting=setting, known=("postgresql", "cassandra", "cassandras")):
        case "postgresql":
            from marquee.stores.resume_positions.postgres import PostgresResumePositions

            return PostgresResumePositions(url)
        case _:
            from marquee.stores.resume_positions.cassandra import CassandraResumePositions

            return CassandraResumePositions(url, setting=setting)
