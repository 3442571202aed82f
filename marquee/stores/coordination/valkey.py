"""Locks and rate limits on a Valkey that evicts nothing and writes every change to its AOF, or on a cluster of such servers.

Keys: `{lock:N}` = the holder's token, with a TTL; `{lock:N}:fence` = the last fence of N, from the server's clock, TTL
FENCE_SECONDS; `{limit:B}` = a sorted set of the uses within the window, by the server's clock, TTL the window. The set has at
most `limit` members, because a refused use is not counted. `{attempts:B}` = a hash of the number of attempts and of the end of
the wait, TTL the rule's `forget_seconds`. `{members:B}` = a sorted set of members by the end of their time, TTL the last one's.
Each operation is one Lua script, so that a holder that was paused cannot release the next holder's lock. Engine down:
`StoreUnavailable` within TIMEOUT_SECONDS, without a retry.
"""

import secrets

from marquee.domain.attempts import AttemptRule
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
_COUNT = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, tonumber(oldest[2]) + window - now)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 0
""")
"""Returns microseconds to wait."""
_ATTEMPT = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'attempts', 'ends')
local ends = tonumber(known[2] or '0')
if ends > now then return ends - now end
local attempts = tonumber(known[1] or '0') + 1
local free, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = 0
if attempts >= free then wait = math.min(longest, first * 2 ^ math.min(attempts - free, 60)) end
redis.call('HSET', KEYS[1], 'attempts', attempts, 'ends', string.format('%.0f', now + wait))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
""")
"""`AttemptRule.wait_after` on the server, with the server's clock, so that no two processes disagree. Returns milliseconds."""
_TAKE_BACK = Script("""
local attempts = tonumber(redis.call('HGET', KEYS[1], 'attempts') or '0')
if attempts > 0 then redis.call('HINCRBY', KEYS[1], 'attempts', -1) end
return 1
""")
_REMEMBER = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
""")
_IS_REMEMBERED = Script("""
local time = redis.call('TIME')
local ends = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
if ends > time[1] * 1000 + time[2] / 1000 then return 1 end
return 0
""")
_FORGET = Script("return redis.call('DEL', KEYS[1])")


def _lock_key(name: str) -> str:
    return f"{{lock:{name}}}"


def _attempts_key(bucket: str) -> str:
    return f"{{attempts:{bucket}}}"


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

    async def count(self, bucket: str, *, limit: int, window_seconds: float) -> float:
        window_us = round(window_seconds * 1_000_000)
        waited = await self._valkey.run(_COUNT, [f"{{limit:{bucket}}}"], limit, window_us, secrets.token_hex(8))
        return int(waited) / 1_000_000

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        times = (rule.first_seconds, rule.max_seconds, rule.forget_seconds)
        milliseconds = [round(seconds * 1000) for seconds in times]
        waited = await self._valkey.run(_ATTEMPT, [_attempts_key(bucket)], rule.free, *milliseconds)
        return int(waited) / 1000

    async def take_back(self, bucket: str) -> None:
        await self._valkey.run(_TAKE_BACK, [_attempts_key(bucket)])

    async def forget(self, bucket: str) -> None:
        await self._valkey.run(_FORGET, [_attempts_key(bucket)])

    async def remember(self, bucket: str, member: str, *, keep: int, seconds: float) -> None:
        await self._valkey.run(_REMEMBER, [f"{{members:{bucket}}}"], member, keep, round(seconds * 1000))

    async def is_remembered(self, bucket: str, member: str) -> bool:
        return bool(await self._valkey.run(_IS_REMEMBERED, [f"{{members:{bucket}}}"], member))

    async def ping(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.close()
