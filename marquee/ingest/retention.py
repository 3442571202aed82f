"""How long topics keep their records: `RETENTION_MS`, and not before every group of the topic has acknowledged them.

What a group could not read is buried in a topic beside it (`.dead`). No group consumes that one; it keeps records for
`DEAD_RETENTION_MS`, so that a person can look at them.
"""

from typing import Final

from marquee.events import TOPIC_GROUPS, TOPIC_STREAMS
from marquee.logs import get_logger
from marquee.stores.event_log.contract import EventLog
from marquee.stores.event_log.records import DEAD_SUFFIX

RETENTION_MS: Final = 7 * 24 * 3600 * 1000
DEAD_RETENTION_MS: Final = 30 * 24 * 3600 * 1000

log = get_logger()


async def trim_topics(event_log: EventLog) -> None:
    """Drop records that are older than their topic keeps them and that no group needs any more."""
    ages = dict.fromkeys(TOPIC_STREAMS, RETENTION_MS) | {
        f"{topic}{DEAD_SUFFIX}": DEAD_RETENTION_MS for topic in TOPIC_GROUPS
    }
    for topic, age_ms in ages.items():
        dropped = await event_log.trim(topic, older_than_ms=age_ms, needed_by=TOPIC_GROUPS.get(topic, ()))
        if dropped:
            log.info("topic trimmed", topic=topic, records=dropped)
