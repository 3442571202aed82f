"""How long topics keep their records: `RETENTION_MS`, and not before every group of the topic has acknowledged them.

What a group could not read is buried in a topic beside it (`.dead`). No group consumes that one; it keeps records for
`DEAD_RETENTION_MS`, so that a person can look at them.

Viewing events have no group: the event sink keeps its position in PostgreSQL. While a sink lives, nothing past its position is
dropped, and what is in the lake goes after `WRITTEN_RETENTION_MS`. Where no sink has shown itself for `SINK_ALIVE` (the extra
`analytics` is not installed, or the sink is off), the log keeps viewing events for MARQUEE_VIEWING_EVENTS_KEEP_SECONDS. It
never keeps more than MARQUEE_VIEWING_EVENTS_KEEP_RECORDS of them, sink or not: on one host the same Valkey also holds locks and
wake-ups, and must not run out of memory.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from marquee.errors import CursorInvalid
from marquee.events import TOPIC_GROUPS, TOPIC_STREAMS
from marquee.events.topics import VIEWING_EVENTS
from marquee.ingest.lost_events import add_lost
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


async def trim_viewing_events(
    event_log: EventLog, lake: Lake, state: Path, *, keep_unwritten_seconds: float, keep_records: int
) -> None:
    """Drop viewing events that are in the lake, those that are too old where no sink lives, and those that are too many.

    What is lost is counted in the state folder (`lost_events`). The bound by number needs the event log only: it holds also
    while PostgreSQL, and with it the sink, is away.
    """
    try:
        await _trim_by_age(event_log, lake, state, keep_unwritten_seconds, keep_records)
    finally:
        await _trim_by_number(event_log, state, keep_records)


async def _trim_by_number(event_log: EventLog, state: Path, keep_records: int) -> None:
    if await event_log.count(VIEWING_EVENTS) <= keep_records:
        return
    lost = await event_log.trim_to(VIEWING_EVENTS, records=keep_records)
    if lost:
        add_lost(state, lost)
        log.error(
            "viewing events dropped that are in no lake: the event log holds too many. See why event-sink does not write them "
            "(`marquee analytics status`), or raise MARQUEE_VIEWING_EVENTS_KEEP_RECORDS if the event log's host has the memory.",
            topic=VIEWING_EVENTS,
            records=lost,
            keep_records=keep_records,
        )


async def _trim_by_age(
    event_log: EventLog, lake: Lake, state: Path, keep_unwritten_seconds: float, keep_records: int
) -> None:
    position = await lake.position(VIEWING_EVENTS)
    try:
        if position is not None:
            read_to = position.cursor or NEVER_READ
            written = await event_log.trim(VIEWING_EVENTS, older_than_ms=WRITTEN_RETENTION_MS, read_to=read_to)
            if await event_log.count(VIEWING_EVENTS) > keep_records:
                written += await event_log.trim(VIEWING_EVENTS, older_than_ms=0, read_to=read_to)
            if written:
                log.info("topic trimmed", topic=VIEWING_EVENTS, records=written)
    except CursorInvalid:
        position = None  # of another event log: this one has no sink yet
    if position is not None and datetime.now(UTC) - position.written_at < SINK_ALIVE:
        return
    lost = await event_log.trim(VIEWING_EVENTS, older_than_ms=round(keep_unwritten_seconds * 1000))
    if lost:
        add_lost(state, lost)
        log.warning(
            "viewing events dropped that are in no lake: no event sink runs. Install analytics (`make analytics`) and start "
            "event-sink, or lower MARQUEE_VIEWING_EVENTS_KEEP_SECONDS to keep fewer.",
            topic=VIEWING_EVENTS,
            records=lost,
            keep_seconds=keep_unwritten_seconds,
        )
