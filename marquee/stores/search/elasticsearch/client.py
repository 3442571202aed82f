"""Opens the Elasticsearch client, with bounded connections and time-outs, and translates its errors.

If a node does not answer, the client asks the next node at once. If no node answers, or the cluster refuses, the error is
`StoreUnavailable`. A request that can never succeed is `InputInvalid`. A node without memory for a search now is `Busy`: the
index repeats that search for BUSY_SECONDS.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from elastic_transport import JsonSerializer, NdjsonSerializer, TransportError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch
from tenacity import AsyncRetrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from marquee import deadlines
from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.search.elasticsearch.answers import ErrorAnswer
from marquee.stores.search.elasticsearch.url import Target

REQUEST_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 30.0
"""Time-out of a bulk or a new index: 0.3 s for a thousand titles on an idle machine, many times that on a busy one."""
CONNECTIONS_PER_NODE: Final = 32
BUSY_SECONDS: Final = 2.0
"""How long a search is repeated while nodes answer that they have no memory for it."""
Answer = TypeVar("Answer")


class Busy(StoreUnavailable):
    """Elasticsearch has no memory, or no place in its queue, for a request now (status 429)."""


class _JsonLeavingAnswers(JsonSerializer):
    """Encodes requests by msgspec. Answers stay bytes: the caller decodes them into a struct of `answers`."""

    def json_dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)

    def loads(self, data: bytes) -> bytes:
        return data


class _LinesLeavingAnswers(NdjsonSerializer):
    """For bulks, whose lines the caller has already encoded. Answers stay bytes."""

    def loads(self, data: bytes) -> bytes:
        return data


def open_client(target: Target) -> AsyncElasticsearch:
    """A client of all the URL's nodes. Connects at the first call."""
    return AsyncElasticsearch(
        list(target.hosts),
        basic_auth=target.login,
        ssl_context=target.tls if target.tls else DEFAULT,
        serializers={"application/json": _JsonLeavingAnswers(), "application/x-ndjson": _LinesLeavingAnswers()},
        connections_per_node=CONNECTIONS_PER_NODE,
        request_timeout=REQUEST_SECONDS,
        # Ask each node once. Waiting for a cluster is the caller's decision: a search does not wait, a rebuild does.
        max_retries=len(target.hosts) - 1,
        retry_on_timeout=False,
        dead_node_backoff_factor=0.1,
        max_dead_node_backoff=5.0,
    )


def reason_of(error: ApiError) -> tuple[str, str]:
    """(type, reason) of an error: Elasticsearch's name, such as index_not_found_exception, and its description."""
    try:
        found = msgspec.json.decode(error.body, type=ErrorAnswer).error
    except (msgspec.MsgspecError, TypeError):
        return "", str(error.body)[:300]
    return ("", found) if isinstance(found, str) else (found.type, found.reason or found.type)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into `InputInvalid` (400, 413), `Busy` (429) or `StoreUnavailable` (all others)."""
    try:
        yield
    except ApiError as error:
        status = error.meta.status
        if status in (400, 413):  # bad request, or request too large
            raise InputInvalid(
                f"Elasticsearch cannot process this request ({status}): {reason_of(error)[1]}."
            ) from error
        if status == 429:
            raise Busy(f"Elasticsearch is busy: {reason_of(error)[1]}; try again in a moment.") from error
        remedy = ": give a login with that right in MARQUEE_SEARCH_URL" if status in (401, 403) else ""
        raise StoreUnavailable(
            f"Elasticsearch refused a request with {status}, {reason_of(error)[1]}{remedy}."
        ) from error
    except TransportError as error:
        raise StoreUnavailable(f"Elasticsearch did not answer: {error.message}") from error


async def outlast(
    call: Callable[[], Awaitable[Answer]], *, seconds: float, what: type[StoreUnavailable] = StoreUnavailable
) -> Answer:
    """Repeat an idempotent call while it raises `what`, for at most `seconds`; then raise its error.

    `what`: `StoreUnavailable` waits for a cluster that restarts, `Busy` only for memory.
    """
    repeating = AsyncRetrying(
        retry=retry_if_exception_type(what),
        stop=stop_before_delay(deadlines.at_most(seconds)),
        wait=wait_random_exponential(multiplier=0.1, max=3.0),
        reraise=True,
    )
    async for attempt in repeating:
        with attempt:
            answer = await call()
    return answer
