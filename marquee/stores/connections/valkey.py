"""Opens the client of one Valkey (or Redis) server, translates its errors, and repeats calls during an outage.

Pools are bounded. A server that does not answer within `timeout_seconds` is an error at once. `outlast` repeats a call with
jitter while the server is down or restarting, for a limited time. Stores that must fail fast, such as the row cache, do not
use `outlast`. Every error becomes `StoreUnavailable`.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ServerGone
from redis.exceptions import ReadOnlyError, RedisClusterException, RedisError
from redis.exceptions import TimeoutError as ServerSilent
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import StoreUnavailable
from marquee.stores.connections.cluster_url import ClusterUrl
from marquee.stores.connections.valkey_url import connection_of, database_of, login_of

TRANSIENT = (ServerGone, ServerSilent, ReadOnlyError, OSError)
"""Errors of a server that is down or starting (a server that loads its AOF raises `ServerGone`)."""

Answer = TypeVar("Answer")


def open_client(url: ClusterUrl, *, timeout_seconds: float, connections: int) -> Any:
    """A client with a pool of at most `connections`; connects at the first call. Its answers are bytes.

    Raises `SettingsInvalid` for a URL of several hosts. Returns Any, because the library's annotations mix the answers of
    two protocols and of the synchronous client.
    """
    if len(url.hosts) > 1:
        raise url.refused(f"{url.scheme}:// is one server; give one host, or use {url.scheme}-cluster://")
    pool = redis.BlockingConnectionPool(
        host=url.hosts[0].name,
        port=url.hosts[0].port,
        db=database_of(url),
        **login_of(url),
        **connection_of(url),
        max_connections=connections,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        health_check_interval=0,
        # The client's own retries would multiply the time-out. `outlast` repeats what may be repeated.
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis.from_pool(pool)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the client's errors into `StoreUnavailable`. `what` names the store in the message, such as "The row cache"."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        raise StoreUnavailable(f"{what} did not answer: {error}") from error


async def outlast(what: str, call: Callable[[], Awaitable[Answer]], *, seconds: float) -> Answer:
    """Repeat an idempotent (or at-least-once) call while the server is down, for at most `seconds`.

    Raises `StoreUnavailable` after that, and at once for an error that is not in `TRANSIENT`.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(TRANSIENT),
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.05, max=1.0),
        reraise=True,
    )
    with translated(what):
        async for attempt in retrying:
            with attempt:
                answer = await call()
    return answer
