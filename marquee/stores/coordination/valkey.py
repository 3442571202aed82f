"""Locks and rate limits on a Valkey that evicts nothing and writes every change to its AOF, or on a cluster of such servers.

Keys: `{lock:N}` = the holder's token, with a TTL; `{lock:N}:fence` = the last fence of N, from the server's clock, TTL
FENCE_SECONDS; `{limit:B}` = a sorted set of the uses within the window, by the server's clock, TTL the window. The set has at
most `limit` members, because a refused use is not counted. Each operation is one Lua script, so that a holder that was paused
cannot release the next holder's lock. Engine down: `StoreUnavailable` within TIMEOUT_SECONDS, without a retry.
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


def _lock_key(name: str) -> str:
    return f"{{lock:{name}}}"


class ValkeyCoordination:
    """`Coordination` on Valkey. Connects at the first call. Raises `SettingsInvalid` for the URL.

    On a cluster, `acquire` waits until a replica has the lock too, so that the lock survives the loss of its master. If the
    replica is down, `acquire` succeeds anyway; if the master is then lost, a second process can get the lock. Therefore a
    fence is a time and not a count: it is larger than a lost one, as long as the clocks of two nodes differ by less than a
    failover takes. Counted uses of a limit may be lost in a failover.
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
        keys = [_lock_key(name), f"{_lock_key(name)}:fence"]
        fence = await self._valkey.run_replicated(_ACQUIRE, keys, token, hold_ms, FENCE_SECONDS)
        return Lock(name, token, int(fence)) if fence else None

    async def is_held(self, lock: Lock) -> bool:
        return bool(await self._valkey.run(_IS_HELD, [_lock_key(lock.name)], lock.token))

    async def release(self, lock: Lock) -> bool:
        return bool(await self._valkey.run(_RELEASE, [_lock_key(lock.name)], lock.token))

    async def allow(self, bucket: str, *, limit: int, window_seconds: float) -> bool:
        window_us = round(window_seconds * 1_000_000)
        return bool(await self._valkey.run(_ALLOW, [f"{{limit:{bucket}}}"], limit, window_us, secrets.token_hex(8)))

    async def ping(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.close()
