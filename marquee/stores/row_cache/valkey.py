"""The row cache on one Valkey that evicts (LRU) and persists nothing, or on a cluster.

Keys, tied by a hash tag so that a cluster holds them together: `{row:K}:body` = 8 bytes (milliseconds between going
stale and leaving) + the row's bytes, expiring after `keep_seconds`; `{row:K}:generation` = a number from the server's
clock, kept GENERATION_SECONDS. Freshness is read from the entry's remaining life, so that clients' clocks do not matter.
An evicted or expired generation refuses the fill that began under it. Down: `StoreUnavailable` within TIMEOUT_SECONDS,
without a retry, so that the caller sheds load instead of waiting; of a cluster, the rows of the lost master alone.
"""

import asyncio

from marquee.stores.connections.valkey_scripts import Script, ScriptedValkey
from marquee.stores.row_cache.contract import SETTING, CachedRow

TIMEOUT_SECONDS = 0.25
CONNECTIONS = 64
GENERATION_SECONDS = 3600

_LOOK = Script("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}")
# A generation comes from the server's clock, never from a counter: after an eviction a counter would start
# again, and a fill from before a purge could meet its own number.
_NEXT = """
local now = redis.call('TIME')
local next = now[1] * 1000000 + now[2]
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if next <= last then next = last + 1 end
"""
_GENERATION = Script(f"""
local known = redis.call('GET', KEYS[1])
if known then return tonumber(known) end
{_NEXT}
redis.call('SET', KEYS[1], string.format('%.0f', next), 'EX', ARGV[1])
return next
""")
_FILL = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
""")
_PURGE = Script(f"""
{_NEXT}
redis.call('SET', KEYS[1], string.format('%.0f', next), 'EX', ARGV[1])
redis.call('DEL', KEYS[2])
return next
""")


def _body(key: str) -> str:
    return f"{{row:{key}}}:body"


def _generation(key: str) -> str:
    return f"{{row:{key}}}:generation"


class ValkeyRowCache:
    def __init__(self, url: str) -> None:
        self._valkey = ScriptedValkey(
            url, setting=SETTING, what="The row cache", timeout_seconds=TIMEOUT_SECONDS, connections=CONNECTIONS
        )

    async def get(self, key: str) -> CachedRow | None:
        body, remaining_ms = await self._valkey.run(_LOOK, [_body(key)])
        if body is None:
            return None
        return CachedRow(body[8:], fresh=remaining_ms > int.from_bytes(body[:8], "big"))

    async def generation(self, key: str) -> int:
        return int(await self._valkey.run(_GENERATION, [_generation(key)], GENERATION_SECONDS))

    async def fill(self, key: str, body: bytes, *, generation: int, fresh_seconds: float, keep_seconds: float) -> bool:
        keep_ms = max(1, round(keep_seconds * 1000))
        stale_ms = max(0, keep_ms - round(fresh_seconds * 1000))
        stored = await self._valkey.run(
            _FILL, [_generation(key), _body(key)], generation, stale_ms.to_bytes(8, "big") + body, keep_ms
        )
        return bool(stored)

    async def purge(self, keys: list[str]) -> None:
        purged = await asyncio.gather(
            *(self._valkey.run(_PURGE, [_generation(key), _body(key)], GENERATION_SECONDS) for key in keys),
            return_exceptions=True,
        )
        for failure in purged:
            if isinstance(failure, BaseException):
                raise failure

    async def ping(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.close()
