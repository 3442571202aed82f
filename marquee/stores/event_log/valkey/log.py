"""The event log on one Valkey: N streams a topic, AOF with fsync at every write, nothing evicted.

Keys: `log:topics` = hash of topic -> number of streams; `log:T:N` = stream N of topic T, one entry a record with the fields
k (key), v (value) and h (headers as JSON, if any). `group` has the keys of consumer groups. A record's stream is CRC32(key) mod
the number of streams. Its position is the entry's id, whose first half is the server's clock in milliseconds.

Server down: calls are repeated with jitter for OUTLAST_SECONDS (a killed Valkey is back in less), then `StoreUnavailable`. A
repeated publish may be stored twice: at-least-once allows that.

URL: as `marquee.stores.connections.valkey_url` says, and `lease_seconds` (5).
"""

import asyncio
import weakref
import zlib
from collections.abc import Collection, Mapping, Sequence

import msgspec

from marquee.errors import CursorInvalid, InputInvalid
from marquee.stores.connections.valkey import open_client, outlast, translated
from marquee.stores.connections.valkey_url import parse_valkey_url
from marquee.stores.event_log.contract import MAX_LEASE_SECONDS, SETTING, Consumer, Record
from marquee.stores.event_log.records import DEAD_SUFFIX, check_batch, check_size, dead_headers, expected_streams
from marquee.stores.event_log.valkey.consumer import ValkeyConsumer
from marquee.stores.event_log.valkey.records import record_of, stream_key

WHAT = "The event log"
TIMEOUT_SECONDS = 5.0
OUTLAST_SECONDS = 15.0
LEASE_SECONDS = 5.0
CONNECTIONS = 64
TOPICS = "log:topics"
LAST_SEQUENCE = 2**64 - 1

# Keeps every entry that some group has not acknowledged. The bound is the group's oldest pending entry, else the last one that it
# was given, and the position ARGV[2], if there is one. Drops nothing while one of the groups in ARGV from 3 on is missing.
_TRIM = """
local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am < bm or (am == bm and as < bs)
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local time = redis.call('TIME')
local needed = {}
for i = 3, #ARGV do needed[ARGV[i]] = true end
local bound = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1]))
if ARGV[2] ~= '' and before(ARGV[2], bound) then bound = ARGV[2] end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local facts = {}
  for i = 1, #group, 2 do facts[group[i]] = group[i + 1] end
  local kept = facts['last-delivered-id']
  if facts['pending'] > 0 then kept = redis.call('XPENDING', KEYS[1], facts['name'])[2] end
  if before(kept, bound) then bound = kept end
  needed[facts['name']] = nil
end
if next(needed) then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', bound)
"""


class ValkeyEventLog:
    def __init__(self, url: str) -> None:
        found = parse_valkey_url(url, setting=SETTING, known=["lease_seconds"])
        self._lease_seconds = found.seconds("lease_seconds", maximum=MAX_LEASE_SECONDS) or LEASE_SECONDS
        self._client = open_client(found, timeout_seconds=TIMEOUT_SECONDS, connections=CONNECTIONS)
        self._trim = self._client.register_script(_TRIM)
        self._streams_known: dict[str, int] = {}
        self._consumers: weakref.WeakSet[ValkeyConsumer] = weakref.WeakSet()
        """Weak references: the task of an open consumer keeps it alive, and a closed consumer disappears."""

    async def ensure_topic(self, topic: str, *, streams: int) -> None:
        if streams < 1:
            raise InputInvalid("A topic has at least one stream.", field="streams")
        await outlast(WHAT, lambda: self._client.hsetnx(TOPICS, topic, str(streams)), seconds=OUTLAST_SECONDS)

    async def _streams(self, topic: str) -> int:
        """The number of a topic's streams, which never changes."""
        if topic not in self._streams_known:
            known = await outlast(WHAT, lambda: self._client.hget(TOPICS, topic), seconds=OUTLAST_SECONDS)
            if known is None:
                await self.ensure_topic(topic, streams=expected_streams(topic))
                return await self._streams(topic)
            self._streams_known[topic] = int(known)
        return self._streams_known[topic]

    async def publish(self, topic: str, key: str, value: bytes, *, headers: Mapping[str, str] | None = None) -> Record:
        check_size(key, value, headers)
        packed = msgspec.json.encode(dict(headers)) if headers else b""
        stream = zlib.crc32(key.encode()) % await self._streams(topic)
        fields: dict[str, str | bytes] = {"k": key, "v": value}
        if packed:
            fields["h"] = packed
        position: bytes = await outlast(
            WHAT,
            lambda: self._client.xadd(stream_key(topic, stream), fields),
            seconds=OUTLAST_SECONDS,
        )
        return record_of(topic, stream, position, {b"k": key.encode(), b"v": value, b"h": packed})

    async def publish_many(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        check_batch(records)
        if not records:
            return
        streams = await self._streams(topic)
        keys = {key: stream_key(topic, zlib.crc32(key.encode()) % streams) for key, _ in records}

        async def append() -> None:
            # The server reads the whole pipeline at once, and writes and syncs its AOF once before it answers.
            pipeline = self._client.pipeline(transaction=False)
            for key, value in records:
                pipeline.execute_command("XADD", keys[key], "*", "k", key, "v", value)
            await pipeline.execute()

        await outlast(WHAT, append, seconds=OUTLAST_SECONDS)

    async def subscribe(self, topic: str, group: str) -> Consumer:
        consumer = ValkeyConsumer(
            self._client,
            topic,
            group,
            streams=await self._streams(topic),
            lease_seconds=self._lease_seconds,
            outlast_seconds=OUTLAST_SECONDS,
            bury=self._bury,
        )
        await consumer.join()
        self._consumers.add(consumer)
        return consumer

    async def _bury(self, record: Record, reason: str) -> None:
        headers = dead_headers(record, reason)
        await self.publish(record.topic + DEAD_SUFFIX, record.key, record.value, headers=headers)

    async def read(
        self, topic: str, cursor: str | None, *, limit: int = 100, by_time: bool = True
    ) -> tuple[Sequence[Record], str]:
        streams = await self._streams(topic)
        after = _parse_cursor(cursor, streams)
        count = limit if by_time else max(1, limit // streams)

        async def pages() -> list[list[tuple[bytes, dict[bytes, bytes]]]]:
            pipeline = self._client.pipeline(transaction=False)
            for stream in range(streams):
                pipeline.xrange(stream_key(topic, stream), min=f"({after[stream]}", count=count)
            found: list[list[tuple[bytes, dict[bytes, bytes]]]] = await pipeline.execute()
            return found

        found = [
            record_of(topic, stream, position, fields)
            for stream, page in enumerate(await outlast(WHAT, pages, seconds=OUTLAST_SECONDS))
            for position, fields in page
        ]
        if by_time:  # over all streams. The sort is stable: each stream keeps its own order
            found.sort(key=lambda record: record.published_at_ms)
            del found[limit:]
        for record in found:
            after[record.stream] = record.position
        return found, ",".join(after)

    async def cursor_at(self, topic: str, published_at_ms: int) -> str:
        before = f"{max(0, published_at_ms - 1)}-{LAST_SEQUENCE if published_at_ms > 0 else 0}"
        return ",".join([before] * await self._streams(topic))

    async def lag(self, topic: str, group: str) -> int:
        behind = 0
        for stream in range(await self._streams(topic)):
            key = stream_key(topic, stream)
            behind += await outlast(WHAT, lambda key=key: self._behind(key, group), seconds=OUTLAST_SECONDS)  # type: ignore[misc]
        return behind

    async def _behind(self, key: str, group: str) -> int:
        if not await self._client.exists(key):
            return 0
        for facts in await self._client.xinfo_groups(key):
            if facts["name"] == group.encode():
                undelivered = facts["lag"]
                if undelivered is None:  # the server loses count when entries are removed
                    last = facts["last-delivered-id"].decode()
                    undelivered = len(await self._client.xrange(key, min=f"({last}"))
                return int(undelivered) + int(facts["pending"])
        return int(await self._client.xlen(key))

    async def trim(
        self, topic: str, *, older_than_ms: int, needed_by: Collection[str] = (), read_to: str | None = None
    ) -> int:
        streams, dropped = await self._streams(topic), 0
        kept = [""] * streams if read_to is None else _parse_cursor(read_to, streams)
        for stream in range(streams):
            with translated(WHAT):
                arguments = [max(0, older_than_ms), kept[stream], *needed_by]
                dropped += int(await self._trim(keys=[stream_key(topic, stream)], args=arguments))
        return dropped

    async def count(self, topic: str) -> int:
        with translated(WHAT):
            keys = [stream_key(topic, stream) for stream in range(await self._streams(topic))]
            return sum([int(await self._client.xlen(key)) for key in keys])

    async def trim_to(self, topic: str, *, records: int) -> int:
        streams = await self._streams(topic)
        share = max(0, records) // streams
        with translated(WHAT):
            keys = [stream_key(topic, stream) for stream in range(streams)]
            return sum([int(await self._client.xtrim(key, maxlen=share, approximate=False)) for key in keys])

    async def ping(self) -> None:
        with translated(WHAT):
            await self._client.ping()

    async def close(self) -> None:
        await asyncio.gather(*(consumer.close() for consumer in list(self._consumers)))
        await self._client.aclose()
        await self._client.connection_pool.disconnect()


def _parse_cursor(cursor: str | None, streams: int) -> list[str]:
    """One position a stream, exclusive. A stream that the cursor does not name begins with its oldest record."""
    positions = cursor.split(",") if cursor else []
    for position in positions:
        first, dash, second = position.partition("-")
        if not (dash and first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
            raise CursorInvalid("The cursor is not one of this topic's.", field="cursor")
    return [*positions, *["0-0"] * streams][: max(streams, 1)]
