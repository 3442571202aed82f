"""The row cache on one Valkey that evicts (LRU) and persists nothing, or on a cluster.

Keys share a hash tag, so that one node has both. `{row:K}:body` = 8 bytes (milliseconds from becoming stale to expiring) and the
row's bytes; TTL `keep_seconds`. `{row:K}:generation` = a number from the server's clock; TTL GENERATION_SECONDS. Freshness is
computed from the entry's remaining TTL, so that the clients' clocks do not matter. If a generation was evicted or expired, the
fill that read it stores nothing. Engine down: `StoreUnavailable` within TIMEOUT_SECONDS and without a retry, so that the caller
sheds load instead of waiting. A lost master of a cluster costs its own rows only.
"""

import asyncio

from marquee.stores.connections.valkey_scripts import Script, ScriptedValkey
from marquee.stores.row_cache.contract import SETTING, CachedRow

TIMEOUT_SECONDS = 0.25
CONNECTIONS = 64
GENERATION_SECONDS = 3600

_GET = Script("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}")
# A generation is taken from the server's clock, not from a counter. After an eviction a counter would begin again,
# and a fill that began before a purge could find its own number again.
_NEXT_GENERATION = """
local now = redis.call('TIME')
local next = now[1] * 1000000 + now[2]
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if next <= last then next = last + 1 end
"""
_GENERATION = Script(f"""
local known = redis.call('GET', KEYS[1])
if known then return tonumber(known) end
{_NEXT_GENERATION}
redis.call('SET', KEYS[1], string.format('%.0f', next), 'EX', ARGV[1])
return next
""")
_FILL = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
""")
_PURGE = Script(f"""
{_NEXT_GENERATION}
redis.call('SET', KEYS[1], string.format('%.0f', next), 'EX', ARGV[1])
redis.call('DEL', KEYS[2])
return next
""")


def _body_key(key: str) -> str:
    return f"{{row:{key}}}:body"


def _generation_key(key: str) -> str:
    return f"{{row:{key}}}:generation"


class ValkeyRowCache:
    """`RowCache` on Valkey. Connects at the first call. Raises `SettingsInvalid` for the URL."""

    def __init__(self, url: str) -> None:
        self._valkey = ScriptedValkey(
            url, setting=SETTING, what="The row cache", timeout_seconds=TIMEOUT_SECONDS, connections=CONNECTIONS
        )

    async def get(self, key: str) -> CachedRow | None:
        body, remaining_ms = await self._valkey.run(_GET, [_body_key(key)])
        if body is None:
            return None
        return CachedRow(body[8:], fresh=remaining_ms > int.from_bytes(body[:8], "big"))

    async def generation(self, key: str) -> int:
        return int(await self._valkey.run(_GENERATION, [_generation_key(key)], GENERATION_SECONDS))

    async def fill(self, key: str, body: bytes, *, generation: int, fresh_seconds: float, keep_seconds: float) -> bool:
        keep_ms = max(1, round(keep_seconds * 1000))
        stale_ms = max(0, keep_ms - round(fresh_seconds * 1000))
        stored = await self._valkey.run(
            _FILL, [_generation_key(key), _body_key(key)], generation, stale_ms.to_bytes(8, "big") + body, keep_ms
        )
        return bool(stored)

    async def purge(self, keys: list[str]) -> None:
        purged = await asyncio.gather(
            *(self._valkey.run(_PURGE, [_generation_key(key), _body_key(key)], GENERATION_SECONDS) for key in keys),
            return_exceptions=True,
        )
        for failure in purged:
            if isinstance(failure, BaseException):
                raise failure

    async def ping(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.close()
