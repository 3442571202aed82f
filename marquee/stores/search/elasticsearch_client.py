"""How the search index reaches Elasticsearch: what the URL names, one bounded client, its time-outs, its one error.

URL: `elasticsearch://[user:password@]host:port[,host:port]/alias[?replicas=N]`, with TLS `elasticsearchs://...[?ca=FILE]`.
`alias` is what the names of indices and aliases begin with; without `replicas` there is one more copy where a second node
can hold it. A node that does not answer is left for the next at once; with all of them silent, or refusing, it is
`StoreUnavailable`.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from elastic_transport import JsonSerializer, NdjsonSerializer, TransportError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import InputInvalid, SettingsInvalid, StoreUnavailable
from marquee.stores.search.elasticsearch_answers import Failure
from marquee.stores.urls import ELASTICSEARCH_SCHEMES

REQUEST_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 30.0
"""A bulk of a thousand titles needs 0.3 s alone, and many times that on a busy machine."""
CONNECTIONS_PER_NODE: Final = 32
DEFAULT_PORT: Final = 9200
Answer = TypeVar("Answer")

ALIAS: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Target:
    """What a URL names. `hosts` are `http(s)://host:port`; `replicas` None: as many as there are nodes for, at most 1."""

    hosts: tuple[str, ...]
    login: tuple[str, str] | None
    alias: str
    replicas: int | None
    certificates: Path | None


def parse_target(url: str) -> Target:
    """Raises `SettingsInvalid` saying which part of the URL cannot be used."""
    parts = urlsplit(url)
    login, _, listed = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = parse_qs(parts.query)
    alias = parts.path.strip("/")
    replicas = options.get("replicas", [""])[-1]
    if not ALIAS.fullmatch(alias):
        raise _invalid("must end with an alias of small letters, digits, - and _, such as /marquee-titles")
    if replicas and not (replicas.isdecimal() and int(replicas) < 100):
        raise _invalid("has replicas that are no small number")
    certificates = Path(options["ca"][-1]) if "ca" in options else None
    if certificates is not None and not certificates.is_file():
        raise _invalid(f"names the authorities' file {certificates}, which is not there")
    return Target(
        hosts=tuple(_host(host, ELASTICSEARCH_SCHEMES[parts.scheme]) for host in listed.split(",")),
        login=(unquote(user), unquote(password)) if user else None,
        alias=alias,
        replicas=int(replicas) if replicas else None,
        certificates=certificates,
    )


def _host(host: str, scheme: str) -> str:
    try:
        parts = urlsplit(f"{scheme}://{host}")
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise _invalid(f"names {host!r}, which is no host and port ({error})") from error
    if not parts.hostname:
        raise _invalid("names no host")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{name}:{port}"


def _invalid(what: str) -> SettingsInvalid:
    return SettingsInvalid(f"MARQUEE_SEARCH_URL {what}.", field="MARQUEE_SEARCH_URL")


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
        ca_certs=str(target.certificates) if target.certificates else DEFAULT,
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
        if status == 400:
            raise InputInvalid(f"Elasticsearch cannot take this: {reason_of(error)[1]}.") from error
        remedy = ": give a login in MARQUEE_SEARCH_URL that may" if status in (401, 403) else ""
        raise StoreUnavailable(f"Elasticsearch refused with {status}, {reason_of(error)[1]}{remedy}.") from error
    except TransportError as error:
        raise StoreUnavailable(f"Elasticsearch did not answer: {error}") from error


async def outlast(call: Callable[[], Awaitable[Answer]], *, seconds: float) -> Answer:
    """Repeat a call that may be repeated while Elasticsearch is away (restarting), for at most `seconds`."""
    repeating = AsyncRetrying(
        retry=retry_if_exception_type(StoreUnavailable),
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.1, max=3.0),
        reraise=True,
    )
    async for attempt in repeating:
        with attempt:
            answer = await call()
    return answer
