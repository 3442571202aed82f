"""A consumer group on Valkey streams as the server stores it: its keys, and one call for each question or change.

Keys, for group G of topic T: `log:T:members:G` = sorted set of members by the end of their lease; `log:T:N:owner:G` = the
member that owns stream N, expiring with its lease; `log:T:changes:G` = a short stream that wakes waiting members when
somebody joins or leaves. Every stream has a consumer group G with one consumer, `owner`: the member that holds
the lease reads under that name. The script that reads checks the lease first, so a member that was paused past its lease gets
nothing.

Nothing here is repeated: `consumer` decides what to do when the server is down.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import ResponseError

from marquee.stores.event_log.valkey.records import stream_key

CHANGES_KEPT = 32

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


Entry = tuple[bytes, list[bytes] | None]
"""A position, and the fields as a flat list; None if the entry was removed from the stream by hand."""


class ValkeyGroup:
    """One member's view of the group. `member` is its id, `lease_ms` how long it stays a member without a heartbeat."""

    def __init__(self, client: Any, topic: str, name: str, *, streams: int, member: str, lease_ms: int) -> None:
        self._client = client
        self._topic = topic
        self._name = name
        self._streams = streams
        self._member = member
        self._lease_ms = lease_ms
        self._heartbeat = client.register_script(_HEARTBEAT)
        self._acquire = client.register_script(_ACQUIRE)
        self._leave = client.register_script(_LEAVE)
        self._fetch = client.register_script(_FETCH)

    # --- keys --------------------------------------------------------------------------------------------
    def _stream(self, number: int) -> str:
        return stream_key(self._topic, number)

    def _owner(self, number: int) -> str:
        return f"{self._stream(number)}:owner:{self._name}"

    def _group_keys(self, owned: Sequence[int]) -> list[str]:
        members = f"log:{self._topic}:members:{self._name}"
        return [members, self._changes, *(self._owner(number) for number in owned)]

    @property
    def _changes(self) -> str:
        return f"log:{self._topic}:changes:{self._name}"

    # --- membership --------------------------------------------------------------------------------------
    async def create(self) -> None:
        """Create the group on every stream, at its oldest entry; idempotent."""
        for number in range(self._streams):
            try:
                await self._client.xgroup_create(self._stream(number), self._name, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def newest_change(self) -> str:
        last = await self._client.xrevrange(self._changes, count=1)
        return last[0][0].decode() if last else "0-0"

    async def beat(self, owned: Sequence[int]) -> tuple[list[str], list[int]]:
        """Join or stay a member, and renew the leases of the owned streams. Returns all members, sorted, and the lost streams."""
        members, lost = await self._heartbeat(
            keys=self._group_keys(owned), args=[self._member, self._lease_ms, CHANGES_KEPT]
        )
        return sorted(member.decode() for member in members), [owned[index] for index in lost]

    async def acquire(self, number: int) -> str | None:
        """Take a stream that nobody owns. Returns the last position that the group was given; None if another member owns it."""
        given = await self._acquire(
            keys=[self._owner(number), self._stream(number)], args=[self._member, self._lease_ms, self._name]
        )
        return given.decode() if given else None

    async def give_up(self, numbers: Sequence[int]) -> None:
        await self._leave(keys=self._group_keys(numbers), args=[self._member, CHANGES_KEPT, "give up"])

    async def leave(self, numbers: Sequence[int]) -> None:
        """Give up these streams, and stop being a member."""
        await self._leave(keys=self._group_keys(numbers), args=[self._member, CHANGES_KEPT, "close"])

    # --- records -----------------------------------------------------------------------------------------
    async def fetch(
        self, after: Mapping[int, str], *, limit: int
    ) -> Sequence[tuple[Sequence[Entry], dict[bytes, int]] | None]:
        """For each stream of `after`, in that order: None if its lease is lost, else the entries and their counts of deliveries.

        Only entries that were given before have a count. `after` is a position among the entries that the group was given and
        did not acknowledge, or `>` for new entries.
        """
        answers = await self._fetch(
            keys=[key for number in after for key in (self._owner(number), self._stream(number))],
            args=[self._member, self._name, limit, *after.values()],
        )
        return [answer and (answer[0], {count[0]: count[3] for count in answer[1]}) for answer in answers]

    async def acknowledge(self, positions: Mapping[int, Sequence[str]]) -> None:
        """Positions by stream."""
        pipeline = self._client.pipeline(transaction=False)
        for number, ids in positions.items():
            pipeline.xack(self._stream(number), self._name, *ids)
        await pipeline.execute()

    async def changed(self, given: Mapping[int, str], change: str, *, milliseconds: int) -> str | None:
        """Wait for an entry after these positions, or a change of the group after `change`. Returns the newest change, if any."""
        positions = {self._stream(number): position for number, position in given.items()}
        positions[self._changes] = change
        answer = await self._client.xread(positions, count=1, block=milliseconds)
        for key, entries in answer or []:
            if key.decode() == self._changes:
                newest: str = entries[-1][0].decode()
                return newest
        return None
