"""What happened, in order by key, at least once; the engine is chosen by the URL's scheme."""

from typing import Final

from marquee.stores.connections.urls import VALKEY_SCHEMES, scheme_of
from marquee.stores.event_log.contract import SETTING, EventLog

KAFKA_SCHEMES: Final = ("kafka", "kafkas")


def open_event_log(url: str) -> EventLog:
    # Imported here: a process loads the client of the engine that it uses, and no other.
    if scheme_of(url, setting=SETTING, known=(*VALKEY_SCHEMES, *KAFKA_SCHEMES)) in KAFKA_SCHEMES:
        from marquee.stores.event_log.kafka.log import KafkaEventLog

        return KafkaEventLog(url)
    from marquee.stores.event_log.valkey.log import ValkeyEventLog

    return ValkeyEventLog(url)
