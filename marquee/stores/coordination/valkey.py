"""Locks and rate limits on the Valkey that evicts nothing and writes every change to its AOF, or on a cluster of such.

Keys: `{lock:N}` = the holder's token, expiring by itself; `{lock:N}:fence` = N's last fence, from the server's clock, kept
FENCE_SECONDS; `{limit:B}` = a sorted set of the uses within the window, by the server's clock (at most `limit` members: a
refused use is not counted). Each operation is one Lua script, so that a holder that was paused cannot release another's lock.
Down: `StoreUnavailable` within TIMEOUT_SECONDS.
"""

import secrets

from marquee.stores.connections.valkey_scripts import Script, ScriptedValkey
from marquee.stores.coordination.contract import SETTING, Lock

TIMEOUT_SECONDS = 0.5
CONNECTIONS = 64
FENCE_SECONDS = 3600

_ACQUIRE = Script("""
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local now = redis.call('TIME')
local fence = now[1] * 1000000 + now[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence <= last then fence = last + 1 end
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'EX', ARGV[3])
return fence
""")
_IS_HELD = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end return 0")
_RELEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")
_ALLOW = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 1
""")


def _lock(name: str) -> str:
    return f"{{lock:{name}}}"


class ValkeyCoordination:
    """On a cluster a lock is handed out when a replica has it too, and so outlives its master. Where the replica is away, the
    lock is handed out all the same; a master that dies then takes it along, and two hold it. That is why a fence is not
    counted: it is later than a lost one, as long as the clocks of two nodes differ by less than a failover takes. Uses of
    a limit may be lost.
    """

    def __init__(self, url: str) -> None:
        self._valkey = ScriptedValkey(
            url,
            setting=SETTING,
            what="The store of locks and limits",
            timeout_seconds=TIMEOUT_SECONDS,
            connections=CONNECTIONS,
        )

    async def acquire(self, name: str, *, hold_seconds: float) -> Lock | None:
        token = secrets.token_hex(16)
        hold_ms = max(1, round(hold_seconds * 1000))
        keys = [_lock(name), f"{_lock(name)}:fence"]
        fence = await self._valkey.run_copied(_ACQUIRE, keys, token, hold_ms, FENCE_SECONDS)
        return Lock(name, token, int(fence)) if fence else None

    async def is_held(self, lock: Lock) -> bool:
        return bool(await self._valkey.run(_IS_HELD, [_lock(lock.name)], lock.token))

    async def release(self, lock: Lock) -> bool:
        return bool(await self._valkey.run(_RELEASE, [_lock(lock.name)], lock.token))

    async def allow(self, bucket: str, *, limit: int, window_seconds: float) -> bool:
        window_us = round(window_seconds * 1_000_000)
        return bool(await self._valkey.run(_ALLOW, [f"{{limit:{bucket}}}"], limit, window_us, secrets.token_hex(8)))

    async def ping(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.close()
