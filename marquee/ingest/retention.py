"""How long topics keep their records: `RETENTION_MS`, and not before every group of the topic has acknowledged them.

What a group could not read is buried in a topic beside it (`.dead`). No group consumes that one; it keeps records for
`DEAD_RETENTION_MS`, so that a person can look at them.

Viewing events have no group: the event sink keeps its position in PostgreSQL. While a sink lives, nothing past its position is
dropped, and what is in the lake goes after `WRITTEN_RETENTION_MS`. Where no sink has shown itself for `SINK_ALIVE` (the extra
`analytics` is not installed, or the sink is off), the log keeps viewing events for MARQUEE_VIEWING_EVENTS_KEEP_SECONDS.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.errors import CursorInvalid
from marquee.events import TOPIC_GROUPS, TOPIC_STREAMS
from marquee.events.topics import VIEWING_EVENTS
from marquee.logs import get_logger
from marquee.stores.event_log.contract import EventLog
from marquee.stores.event_log.records import DEAD_SUFFIX
from marquee.stores.lake.contract import Lake

RETENTION_MS: Final = 7 * 24 * 3600 * 1000
DEAD_RETENTION_MS: Final = 30 * 24 * 3600 * 1000
WRITTEN_RETENTION_MS: Final = 3600 * 1000
SINK_ALIVE: Final = timedelta(days=1)
"""A sink shows itself every 30 s. A day bears a night's outage of it."""
NEVER_READ: Final = ""
"""The cursor of a sink that has written nothing yet: nothing is dropped."""

log = get_logger()


async def trim_topics(event_log: EventLog) -> None:
    """Drop records that are older than their topic keeps them and that no group needs any more."""
    ages = {topic: RETENTION_MS for topic in TOPIC_STREAMS if topic != VIEWING_EVENTS} | {
        f"{topic}{DEAD_SUFFIX}": DEAD_RETENTION_MS for topic in (*TOPIC_GROUPS, VIEWING_EVENTS)
    }
    for topic, age_ms in ages.items():
        dropped = await event_log.trim(topic, older_than_ms=age_ms, needed_by=TOPIC_GROUPS.get(topic, ()))
        if dropped:
            log.info("topic trimmed", topic=topic, records=dropped)


async def trim_viewing_events(event_log: EventLog, lake: Lake, *, keep_unwritten_seconds: float) -> None:
    """Drop viewing events that are in the lake, and, where no sink lives, those that are too old."""
    position = await lake.position(VIEWING_EVENTS)
    try:
        if position is not None:
            written = await event_log.trim(
                VIEWING_EVENTS, older_than_ms=WRITTEN_RETENTION_MS, read_to=position.cursor or NEVER_READ
            )
            if written:
                log.info("topic trimmed", topic=VIEWING_EVENTS, records=written)
    except CursorInvalid:
        position = None  # of another event log: this one has no sink yet
    if position is not None and datetime.now(UTC) - position.written_at < SINK_ALIVE:
        return
    lost = await event_log.trim(VIEWING_EVENTS, older_than_ms=round(keep_unwritten_seconds * 1000))
    if lost:
        log.warning(
            "viewing events dropped that are in no lake: no event sink runs. Install analytics (`make analytics`) and start "
            "event-sink, or lower MARQUEE_VIEWING_EVENTS_KEEP_SECONDS to keep fewer.",
            topic=VIEWING_EVENTS,
            records=lost,
            keep_seconds=keep_unwritten_seconds,
        )
