"""What is expected of each batch: every expectation is a sentence that an engineer reads when it is not met.

`events_of_hour` for the lake, `batch_of` for what Spark found, `catalogue` for titles, `marts` for the warehouse. Bounds
are those of what can be; of a player's events they are the bounds of the API (`marquee.domain.telemetry`). A share of a
percent of odd rows is the life of a platform whose players are other people's; more is a fault. Below `MIN_ROWS` rows a share
says nothing: one odd player is more than a percent of a quiet hour.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from assets.analytics.judging import expectations
from marquee.domain.telemetry import MAX_DURATION_MS, MAX_POSITION_SECONDS
from marquee.events.viewing import EVENT_KINDS

MOSTLY: Final = 0.99
MIN_UNIQUE: Final = 0.95
"""A client sends again what was not acknowledged, so a few events are there twice. Spark counts them once."""
MIN_ROWS: Final = 200
"""Fewer rows are not judged by shares."""
MAX_AGE_MS: Final = 7 * 24 * 3_600_000
"""A device that was offline reports late."""
HOUR_MS: Final = 3_600_000
NO_SESSION: Final = ("search_asked", "search_opened", "title_published")
"""Kinds that belong to no playback session."""
FIRST_YEAR, LAST_YEAR = 1870, 2100
MAX_DURATION_SECONDS: Final = 24 * 3600.0
Expectations = list[Any]


def least_share(share: float, rows: int) -> float:
    """The share of good rows that is asked for. 0: too few rows for a share."""
    return share if rows >= MIN_ROWS else 0.0


def hour_volume(fewest: int) -> Expectations:
    """Of a frame with one row: the number of events that the lake's list says."""
    return [
        expectations().ExpectColumnValuesToBeBetween(
            column="rows",
            min_value=fewest,
            description=f"The hour has {fewest} events or more: half of what the week before had",
        )
    ]


def events_of_hour(start_ms: int, rows: int) -> Expectations:
    gxe, mostly, unique = expectations(), least_share(MOSTLY, rows), least_share(MIN_UNIQUE, rows)
    needed = [
        gxe.ExpectColumnValuesToNotBeNull(column=name, description=f"Every event has `{name}`")
        for name in ("event_id", "kind", "source", "at_ms", "received_at_ms")
    ]
    bounds: Mapping[str, tuple[float, str]] = {
        "duration_ms": (MAX_DURATION_MS, "A duration is 0 to 24 hours"),
        # Ours tells of ten minutes at most. A player that reports changes of its state alone tells of hours at its end.
        "watched_ms": (MAX_DURATION_MS, "What a report says was watched is 0 to 24 hours"),
        "position_seconds": (MAX_POSITION_SECONDS, "A position is 0 to 7 days"),
        "age_ms": (MAX_AGE_MS, "An event was received within 7 days after it happened, and not before"),
    }
    return [
        *needed,
        gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(
            column="event_id",
            min_value=unique,
            description=f"At least {MIN_UNIQUE:.0%} of the event ids are there once",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="kind",
            value_set=list(EVENT_KINDS),
            mostly=mostly,
            description="Kinds are those that this version knows",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="at_ms",
            min_value=start_ms,
            max_value=start_ms + HOUR_MS - 1,
            description="Every event is of this hour",
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=name, min_value=0, max_value=most, mostly=mostly, description=sentence
            )
            for name, (most, sentence) in bounds.items()
        ),
    ]


def events_of_sessions(rows: int) -> Expectations:
    """Of the events of players, edges and streams."""
    gxe = expectations()
    return [
        gxe.ExpectColumnValuesToNotBeNull(
            column=name, mostly=least_share(MOSTLY, rows), description=f"An event of a playback session has `{name}`"
        )
        for name in ("session_id", "movie_id")
    ]


def batch_of(name: str, fewest: int) -> Expectations:
    """Of the query of `batches.QUERIES`, which joins the titles: `known` is null where a title is not in the catalogue."""
    gxe = expectations()
    common = [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=fewest, description=f"The batch has {fewest} rows or more: half of the one that viewers have"
        )
    ]
    of_title = gxe.ExpectColumnValuesToNotBeNull(column="known", description="Every title is in the catalogue")
    number = {
        # Below 0: watched less than its past lets expect. The row leaves these titles out, but a batch may have them.
        "popularity": ("score", None, None, "Every title has a score"),
        "similar": ("score", 0.0, None, "A score is 0 or more"),
        "suggestions": ("score", None, None, "Every suggestion has a score"),
        "genre_taste": ("share", 0.0, 1.0 + 1e-6, "A share is 0 to 1"),
        "candidates": ("expected_saving_bytes", 0.0, None, "A saving is 0 bytes or more"),
    }[name]
    column, least, most, sentence = number
    made = [*common, gxe.ExpectColumnValuesToNotBeNull(column=column, description=f"`{column}` is given")]
    if least is not None or most is not None:
        made.append(
            gxe.ExpectColumnValuesToBeBetween(column=column, min_value=least, max_value=most, description=sentence)
        )
    if name != "genre_taste":
        made += [
            of_title,
            gxe.ExpectColumnValuesToBeBetween(column="rank", min_value=1, description="Ranks begin at 1"),
            gxe.ExpectColumnValuesToBeUnique(column="key", description="A title stands once in each list"),
            gxe.ExpectColumnValuesToBeInSet(
                column="names_itself", value_set=[False], description="No title is found because of itself"
            ),
        ]
    return made


def catalogue(fewest: int) -> Expectations:
    gxe = expectations()
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=fewest, description=f"The catalogue has {fewest} titles or more: half of what it had"
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="name", description="Every title has a name"),
        gxe.ExpectColumnValuesToBeBetween(
            column="year",
            min_value=FIRST_YEAR,
            max_value=LAST_YEAR,
            mostly=MOSTLY,
            description="A film is of 1870 to 2100",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="duration_seconds",
            min_value=0.04,
            max_value=MAX_DURATION_SECONDS,
            mostly=MOSTLY,
            description="A film is one frame to 24 hours long",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="is_copy", value_set=[False], mostly=MIN_UNIQUE, description="Name, year and people are of one title"
        ),
    ]


def mart(name: str, keys: Sequence[str], *, rows: int, fewest: int) -> Expectations:
    """Of one mart with `rows` rows: its key, its volume against the one that people read, and rates that are rates.

    What viewers' devices measure may be odd in a percent of the rows: one of them must not hold back everybody's marts.
    """
    gxe = expectations()
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=fewest, description=f"`{name}` has {fewest} rows or more: half of the one that people read"
        ),
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=key, description=f"Every row of `{name}` has `{key}`")
            for key in keys
        ),
        gxe.ExpectColumnValuesToBeUnique(column="row_key", description=f"No row of `{name}` is there twice"),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=least,
                max_value=most,
                mostly=least_share(MOSTLY, rows) if column in MEASURED else 1.0,
                description=f"`{column}` of `{name}` is {words}",
            )
            for column, (least, most, words) in BOUNDS.get(name, {}).items()
        ),
    ]


BOUNDS: Final[Mapping[str, Mapping[str, tuple[float, float, str]]]] = {
    "daily_watch": {"watch_hours": (0, 1e9, "0 or more"), "hours_per_viewer": (0, 24, "at most a day's 24 hours")},
    "title_performance": {"completion_rate": (0, 1, "0 to 1"), "rebuffer_ratio": (0, 1, "0 to 1")},
    "retention_weekly": {"retention": (0, 1, "0 to 1")},
    "quality_of_experience_daily": {
        "rebuffer_ratio": (0, 1, "0 to 1"),
        "start_failure_rate": (0, 1, "0 to 1"),
        "startup_p95_seconds": (0, 3600, "0 to 1 hour"),
    },
    "encoding_cost": {"core_hours": (0, 1e6, "0 or more"), "published_bytes": (1, 1e15, "more than 0")},
}
MEASURED: Final = ("watch_hours", "hours_per_viewer", "startup_p95_seconds")
"""Columns that viewers' devices measure. The others are shares of counts, which no viewer can bring out of their bounds."""
