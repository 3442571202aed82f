"""Locks and rate limits on the Valkey that evicts nothing and writes every change to its AOF.

Keys: `{lock:N}` = the holder's token, expiring by itself; `{lock:N}:fence` = how often N was taken; `{limit:B}` = a sorted
set of the uses within the window, by the server's clock (at most `limit` members: a refused use is not counted). Each
operation is one Lua script, so that a holder that was paused cannot release another's lock. Down: `StoreUnavailable`
within TIMEOUT_SECONDS.
"""

import secrets

from marquee.stores.coordination.contract import Lock
from marquee.stores.valkey import open_client, translated

WHAT = "The store of locks and limits"
TIMEOUT_SECONDS = 0.5
CONNECTIONS = 64

_ACQUIRE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
return redis.call('INCR', KEYS[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
_ALLOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 1
"""


def _lock(name: str) -> str:
    return f"{{lock:{name}}}"


class ValkeyCoordination:
    def __init__(self, url: str) -> None:
        self._client = open_client(url, timeout_seconds=TIMEOUT_SECONDS, connections=CONNECTIONS)
        self._acquire = self._client.register_script(_ACQUIRE)
        self._release = self._client.register_script(_RELEASE)
        self._allow = self._client.register_script(_ALLOW)

    async def acquire(self, name: str, *, hold_seconds: float) -> Lock | None:
        token = secrets.token_hex(16)
        with translated(WHAT):
            fence = await self._acquire(
                keys=[_lock(name), f"{_lock(name)}:fence"], args=[token, max(1, round(hold_seconds * 1000))]
            )
        return Lock(name, token, int(fence)) if fence else None

    async def is_held(self, lock: Lock) -> bool:
        with translated(WHAT):
            holder = await self._client.get(_lock(lock.name))
        return bool(holder == lock.token.encode())

    async def release(self, lock: Lock) -> bool:
        with translated(WHAT):
            return bool(await self._release(keys=[_lock(lock.name)], args=[lock.token]))

    async def allow(self, bucket: str, *, limit: int, window_seconds: float) -> bool:
        with translated(WHAT):
            allowed = await self._allow(
                keys=[f"{{limit:{bucket}}}"], args=[limit, round(window_seconds * 1_000_000), secrets.token_hex(8)]
            )
        return bool(allowed)

    async def ping(self) -> None:
        with translated(WHAT):
            await self._client.ping()

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()
