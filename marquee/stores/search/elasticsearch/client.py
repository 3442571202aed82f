"""How the search index reaches Elasticsearch: one client with bounded connections, its time-outs, its errors.

A node that does not answer is left for the next at once. With all of them silent, or refusing, it is `StoreUnavailable`;
what no repetition mends is `InputInvalid`. A node that has no memory for a search at this moment is asked again.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from elastic_transport import JsonSerializer, NdjsonSerializer, TransportError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.search.elasticsearch.answers import Failure
from marquee.stores.search.elasticsearch.url import Target

REQUEST_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 30.0
"""A bulk of a thousand titles or a new index needs 0.3 s alone, and many times that on a busy machine."""
CONNECTIONS_PER_NODE: Final = 32
BUSY_SECONDS: Final = 2.0
"""How long a search that a node had no memory for is tried again."""
Answer = TypeVar("Answer")


class Busy(StoreUnavailable):
    """Elasticsearch has no memory or no place in its queue for a request now."""


class _Requests(JsonSerializer):
    """Requests go out by msgspec; an answer stays bytes, and whoever asked decodes what it wants of it into a struct."""

    def json_dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)

    def loads(self, data: bytes) -> bytes:
        return data


class _Lines(NdjsonSerializer):
    """Lines are encoded by whoever makes them; the answer stays bytes too."""

    def loads(self, data: bytes) -> bytes:
        return data


def open_client(target: Target) -> AsyncElasticsearch:
    """Connects at the first call."""
    return AsyncElasticsearch(
        list(target.hosts),
        basic_auth=target.login,
        ssl_context=target.tls if target.tls else DEFAULT,
        serializers={"application/json": _Requests(), "application/x-ndjson": _Lines()},
        connections_per_node=CONNECTIONS_PER_NODE,
        request_timeout=REQUEST_SECONDS,
        # Each node once. Waiting is the caller's: a search has no time for it, a rebuild has.
        max_retries=len(target.hosts) - 1,
        retry_on_timeout=False,
        dead_node_backoff_factor=0.1,
        max_dead_node_backoff=5.0,
    )


def reason_of(error: ApiError) -> tuple[str, str]:
    """Elasticsearch's name for what went wrong, such as index_not_found_exception, and its words for it."""
    try:
        found = msgspec.json.decode(error.body, type=Failure).error
    except (msgspec.MsgspecError, TypeError):
        return "", str(error.body)[:300]
    return ("", found) if isinstance(found, str) else (found.type, found.reason or found.type)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into `StoreUnavailable`, and into `InputInvalid` what no repetition mends."""
    try:
        yield
    except ApiError as error:
        status = error.meta.status
        if status in (400, 413):  # not understood, or too long a request
            raise InputInvalid(f"Elasticsearch cannot take this: {reason_of(error)[1]}.") from error
        if status == 429:
            raise Busy(f"Elasticsearch is busy: {reason_of(error)[1]}.") from error
        remedy = ": give a login in MARQUEE_SEARCH_URL that may" if status in (401, 403) else ""
        raise StoreUnavailable(f"Elasticsearch refuses with {status}, {reason_of(error)[1]}{remedy}.") from error
    except TransportError as error:
        raise StoreUnavailable(f"Elasticsearch did not answer: {error.message}") from error


async def outlast(
    call: Callable[[], Awaitable[Answer]], *, seconds: float, what: type[StoreUnavailable] = StoreUnavailable
) -> Answer:
    """Repeat a call that may be repeated while Elasticsearch is away (restarting) or `Busy`, for at most `seconds`."""
    repeating = AsyncRetrying(
        retry=retry_if_exception_type(what),
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.1, max=3.0),
        reraise=True,
    )
    async for attempt in repeating:
        with attempt:
            answer = await call()
    return answer
