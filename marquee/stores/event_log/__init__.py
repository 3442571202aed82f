"""What happened, in order by key, at least once; the engine is chosen by the URL's scheme."""

from marquee.stores.event_log.contract import EventLog
from marquee.stores.urls import VALKEY_SCHEMES, scheme_of


async def open_event_log(url: str) -> EventLog:
    scheme_of(url, setting="MARQUEE_EVENT_LOG_URL", known=VALKEY_SCHEMES)
    from marquee.stores.event_log.valkey import ValkeyEventLog

    return ValkeyEventLog(url)
