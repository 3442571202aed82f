"""A member of a consumer group on Valkey streams: who owns which stream, and what it is given.

Keys, for group G of topic T: `log:T:members:G` = sorted set of members by the end of their lease; `log:T:N:owner:G` = the
member that owns stream N, expiring with its lease; `log:T:changes:G` = a short stream that wakes waiting members when
somebody joins or leaves. Every stream has a consumer group G with one consumer, `owner`: whoever holds the lease reads as
it, first what its predecessor was given and did not acknowledge, then what is new, so that order by key outlives a
takeover. Reading checks the lease in the same script, so that a member that was paused past it gets nothing.

Streams are dealt out by rank among the living members. A member gives a stream up only between polls and with nothing of
it unacknowledged in hand; a member that closes frees its own at once, one that dies after `lease_seconds`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import ResponseError

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.valkey_records import order, record_of, stream_key
from marquee.stores.valkey import outlast, translated
from marquee.telemetry import get_logger

WHAT = "The event log"
CHANGES_KEPT = 32
LEAVING_SECONDS = 2.0

_HEARTBEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local joined = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 10)
if gone + joined > 0 then redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], '*', 'member', ARGV[1]) end
local lost = {}
for i = 3, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2])
  else table.insert(lost, i - 3) end
end
return {redis.call('ZRANGE', KEYS[1], 0, -1), lost}
"""
# Returns false, or where the group stands in the stream.
_ACQUIRE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local facts = {}
  for i = 1, #group, 2 do facts[group[i]] = group[i + 1] end
  if facts['name'] == ARGV[3] then return facts['last-delivered-id'] end
end
return redis.error_reply('NOGROUP')
"""
_LEAVE = """
local freed = 0
for i = 3, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then freed = freed + redis.call('DEL', KEYS[i]) end
end
if ARGV[3] == 'close' then freed = freed + redis.call('ZREM', KEYS[1], ARGV[1]) end
if freed > 0 then redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[2], '*', 'member', ARGV[1]) end
return freed
"""
# For each owned stream: false if the lease is lost, else {entries, delivery counts of those given before}.
_FETCH = """
local left = tonumber(ARGV[3])
local answers = {}
for i = 1, #KEYS, 2 do
  local from = ARGV[3 + (i + 1) / 2]
  if redis.call('GET', KEYS[i]) ~= ARGV[1] then
    table.insert(answers, false)
  elseif left <= 0 then
    table.insert(answers, {{}, {}})
  else
    local read = redis.call('XREADGROUP', 'GROUP', ARGV[2], 'owner', 'COUNT', left, 'STREAMS', KEYS[i + 1], from)
    local entries, counts = {}, {}
    if read then entries = read[1][2] end
    if from ~= '>' and #entries > 0 then
      counts = redis.call('XPENDING', KEYS[i + 1], ARGV[2], entries[1][1], entries[#entries][1], #entries)
    end
    left = left - #entries
    table.insert(answers, {entries, counts})
  end
end
return answers
"""


@dataclass
class _Owned:
    """What a member knows of a stream that it owns."""

    given: str
    """Where the group stands: everything after it is new."""
    backlog_from: str | None = "0-0"
    """While not None: what was given to a predecessor (or before a rewind) is read first, after this position."""
    in_hand: set[str] = field(default_factory=set)
    """Given to our caller and not acknowledged."""


class ValkeyConsumer:
    def __init__(
        self,
        client: Any,
        topic: str,
        group: str,
        *,
        streams: int,
        lease_seconds: float,
        outlast_seconds: float,
        bury: Callable[[Record, str], Awaitable[None]],
    ) -> None:
        self._client = client
        self._topic = topic
        self._group = group
        self._streams = streams
        self._lease_seconds = lease_seconds
        self._lease_ms = round(lease_seconds * 1000)
        self._outlast_seconds = outlast_seconds
        self._bury = bury
        self._member = secrets.token_hex(8)
        self._members: list[str] = []
        self._owned: dict[int, _Owned] = {}
        self._changes_seen = "$"
        self._turn = 0
        self._running = asyncio.Event()
        self._running.set()
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._heartbeat = client.register_script(_HEARTBEAT)
        self._acquire = client.register_script(_ACQUIRE)
        self._leave = client.register_script(_LEAVE)
        self._fetch = client.register_script(_FETCH)

    # --- keys --------------------------------------------------------------------------------------------
    def _stream(self, number: int) -> str:
        return stream_key(self._topic, number)

    def _owner(self, number: int) -> str:
        return f"{self._stream(number)}:owner:{self._group}"

    @property
    def _group_keys(self) -> list[str]:
        return [f"log:{self._topic}:members:{self._group}", self._changes]

    @property
    def _changes(self) -> str:
        return f"log:{self._topic}:changes:{self._group}"

    # --- membership --------------------------------------------------------------------------------------
    async def join(self) -> None:
        """Enter the group; called once, by `subscribe`."""
        await outlast(WHAT, self._create_groups, seconds=self._outlast_seconds)
        last = await outlast(
            WHAT, lambda: self._client.xrevrange(self._changes, count=1), seconds=self._outlast_seconds
        )
        self._changes_seen = last[0][0].decode() if last else "0-0"
        await outlast(WHAT, self._beat, seconds=self._outlast_seconds)
        self._heartbeat_task = asyncio.create_task(self._keep_lease(), name=f"lease {self._topic}/{self._group}")

    async def _create_groups(self) -> None:
        for number in range(self._streams):
            try:
                await self._client.xgroup_create(self._stream(number), self._group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            # While the server is away there is no lease to keep; the next beat finds out what is left of it.
            with contextlib.suppress(StoreUnavailable), translated(WHAT):
                await self._beat()

    async def _beat(self) -> None:
        owned = list(self._owned)
        members, lost = await self._heartbeat(
            keys=[*self._group_keys, *(self._owner(number) for number in owned)],
            args=[self._member, self._lease_ms, CHANGES_KEPT],
        )
        self._members = sorted(member.decode() for member in members)
        for index in lost:
            self._lose(owned[index])

    def _lose(self, number: int) -> None:
        if self._owned.pop(number, None) is not None:
            get_logger().warning("stream_lost", topic=self._topic, stream=number, group=self._group)

    def _dealt(self) -> set[int]:
        """The streams that this member should own: every n-th, by its rank among n members."""
        if self._member not in self._members:
            return set()
        return set(range(self._members.index(self._member), self._streams, len(self._members)))

    async def _settle(self) -> None:
        """Give up and take over streams until we own what we were dealt, as far as that is possible now."""
        dealt = self._dealt()
        surplus = [number for number, owned in self._owned.items() if number not in dealt and not owned.in_hand]
        if surplus:
            for number in surplus:
                del self._owned[number]
            await self._leave(
                keys=[*self._group_keys, *(self._owner(number) for number in surplus)],
                args=[self._member, CHANGES_KEPT, "give up"],
            )
        for number in sorted(dealt - self._owned.keys()):
            given = await self._acquire(
                keys=[self._owner(number), self._stream(number)], args=[self._member, self._lease_ms, self._group]
            )
            if given:
                self._owned[number] = _Owned(given.decode())

    # --- records -----------------------------------------------------------------------------------------
    async def poll(self, *, limit: int = 100, timeout_seconds: float = 1.0) -> Sequence[Record]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        while True:
            if not self._running.is_set():
                try:
                    async with asyncio.timeout_at(deadline):
                        await self._running.wait()
                except TimeoutError:
                    return []
            try:
                records = await outlast(WHAT, lambda: self._next(limit), seconds=self._outlast_seconds)
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, ResponseError) or "NOGROUP" not in str(error.__cause__):
                    raise
                # The engine came back without its data: begin again with what is published from now on.
                await outlast(WHAT, self._create_groups, seconds=self._outlast_seconds)
                continue
            remaining = deadline - clock()
            if records or remaining <= 0:
                return records
            await outlast(WHAT, lambda wait=remaining: self._wait(wait), seconds=self._outlast_seconds)  # type: ignore[misc]

    async def _next(self, limit: int) -> list[Record]:
        await self._settle()
        if not self._owned:
            return []
        # A new first stream each time, so that a busy one does not starve the others.
        self._turn += 1
        numbers = sorted(self._owned, key=lambda number: (number + self._turn) % self._streams)
        before = {number: self._owned[number] for number in numbers}
        try:
            answers = await self._fetch(
                keys=[key for number in numbers for key in (self._owner(number), self._stream(number))],
                args=[self._member, self._group, limit, *(before[number].backlog_from or ">" for number in numbers)],
            )
        except BaseException:
            # The server may have given us records in an answer that never arrived: ask for them as a backlog.
            for owned in before.values():
                owned.backlog_from = owned.backlog_from or owned.given
            raise
        records: list[Record] = []
        drained = False
        for number, answer in zip(numbers, answers, strict=True):
            if answer is None:
                self._lose(number)
                continue
            entries, counts = answer
            records += await self._take(number, before[number], entries, {count[0]: count[3] for count in counts})
            if before[number].backlog_from is not None and not entries and len(records) < limit:
                before[number].backlog_from = None
                drained = True
        # What is new is asked for only after the backlog was found empty, which may be just now.
        return records if records or not drained else await self._next(limit)

    async def _take(
        self, number: int, owned: _Owned, entries: Sequence[tuple[bytes, list[bytes] | None]], counts: dict[bytes, int]
    ) -> list[Record]:
        records = []
        for position, flat in entries:
            if owned.backlog_from is not None:
                owned.backlog_from = position.decode()
            owned.given = max(owned.given, position.decode(), key=order)
            if not flat:  # removed from the stream by hand: nothing is left to deliver
                await self._client.xack(self._stream(number), self._group, position)
                continue
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            records.append(record_of(self._topic, number, position, fields, counts.get(position, 1)))
            owned.in_hand.add(position.decode())
        return records

    async def _wait(self, seconds: float) -> None:
        """Until something is published to our streams, the group changes, or a third of a lease is over."""
        positions = {self._stream(number): owned.given for number, owned in self._owned.items()}
        positions[self._changes] = self._changes_seen
        milliseconds = max(1, round(min(seconds, self._lease_seconds / 3) * 1000))
        answer = await self._client.xread(positions, count=1, block=milliseconds)
        for key, entries in answer or []:
            if key.decode() == self._changes:
                self._changes_seen = entries[-1][0].decode()
                await self._beat()

    async def acknowledge(self, records: Sequence[Record]) -> None:
        positions: dict[int, list[str]] = {}
        for record in records:
            positions.setdefault(record.stream, []).append(record.position)
        if not positions:
            return

        async def acknowledge() -> None:
            pipeline = self._client.pipeline(transaction=False)
            for number, ids in positions.items():
                pipeline.xack(self._stream(number), self._group, *ids)
            await pipeline.execute()

        await outlast(WHAT, acknowledge, seconds=self._outlast_seconds)
        for number, ids in positions.items():
            if number in self._owned:
                self._owned[number].in_hand.difference_update(ids)

    async def dead_letter(self, record: Record, reason: str) -> None:
        await self._bury(record, reason)
        await self.acknowledge([record])

    async def rewind(self) -> None:
        for owned in self._owned.values():
            owned.backlog_from = "0-0"
            owned.in_hand.clear()

    async def pause(self) -> None:
        self._running.clear()

    async def resume(self) -> None:
        self._running.set()

    async def close(self) -> None:
        if self._heartbeat_task is None:
            return
        self._heartbeat_task.cancel()
        await asyncio.gather(self._heartbeat_task, return_exceptions=True)
        self._heartbeat_task = None
        keys = [*self._group_keys, *(self._owner(number) for number in self._owned)]
        self._owned.clear()
        # An engine that is away cannot be told; then the leases end by themselves.
        with contextlib.suppress(StoreUnavailable, TimeoutError), translated(WHAT):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._leave(keys=keys, args=[self._member, CHANGES_KEPT, "close"])
