"""How the event log reaches Kafka: the URL's options, and kafka-python's clients as this project uses them.

URL: `kafka://[user:password@]host[:port][,host...][?parameter=value&...]`; `kafkas://` with TLS. Parameters: `acks` (all; 1 gives
up durability where a leader dies), `replication` and `min_insync` of topics that are made (3 and 2; 1 of fewer copies than
three: a single broker needs `?replication=1`), `lease_seconds` (how long a member that fell silent keeps its streams: the
session time-out), `sasl` (the mechanism for user and password: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN), and those of
`marquee.stores.connections.tls`.

A client that cannot reach any broker raises from its constructor and leaves its sockets and its thread behind; `opened`
closes what it had begun.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    BrokerNotAvailableError,
    KafkaError,
    KafkaTimeoutError,
    RetriableError,
    UnknownBrokerIdError,
)
from kafka.net.compat import KafkaNetClient
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from marquee.errors import StoreUnavailable
from marquee.stores.connections.cluster_url import ClusterUrl, parse_cluster_url
from marquee.stores.connections.tls import TLS_PARAMETERS, tls_of
from marquee.stores.event_log.contract import MAX_LEASE_SECONDS, SETTING

PORT: Final = 9092
COPIES: Final = 3
MIN_INSYNC: Final = 2
MAX_REPLICAS: Final = 32_767
_PARAMETERS: Final = ("acks", "replication", "min_insync", "lease_seconds", "sasl", *TLS_PARAMETERS)
_SASL: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
LEASE_SECONDS: Final = 10.0
"""Brokers refuse less than 6 s unless they are told otherwise (`group.min.session.timeout.ms`)."""
REQUEST_SECONDS: Final = 5.0
OUTLAST_SECONDS = 20.0
"""A killed broker is back within 5 s, on a busy machine within 15."""
HEARTBEAT_SECONDS: Final = 0.5
"""At most: by it the others learn that a member came or went."""
REJOIN_SECONDS: Final = 30.0
FETCH_WAIT_SECONDS: Final = 0.25
READ_WAIT_SECONDS: Final = 0.05
LEAVING_SECONDS: Final = 2
FETCH_BYTES: Final = 8 * 1024**2

Answer = TypeVar("Answer")
Client = TypeVar("Client")


@dataclass(frozen=True)
class KafkaOptions:
    servers: tuple[str, ...]
    access: Mapping[str, Any] = field(repr=False)
    """TLS and login, as the clients name them."""
    acks: str = "all"
    replication: int = COPIES
    min_insync: int = MIN_INSYNC
    lease_seconds: float = LEASE_SECONDS


def parse_options(url: str) -> KafkaOptions:
    """Raises `SettingsInvalid` for what cannot be used."""
    found = parse_cluster_url(url, setting=SETTING, port=PORT, known=_PARAMETERS)
    if found.name:
        raise found.refused(f"a Kafka cluster has no name: leave out what follows its hosts, {found.name!r}")
    acks = found.parameters.get("acks", "all")
    if acks not in ("all", "1"):
        raise found.refused(f"acks is {acks!r}; it has to be all or 1")
    replication = found.whole("replication", minimum=1, maximum=MAX_REPLICAS) or COPIES
    min_insync = found.whole("min_insync", minimum=1, maximum=MAX_REPLICAS) or (
        MIN_INSYNC if replication >= COPIES else 1
    )
    if min_insync > replication:
        raise found.refused(f"min_insync is {min_insync}; it has to be at most replication, which is {replication}")
    return KafkaOptions(
        servers=tuple(host.address for host in found.hosts),
        access=_access(found),
        acks=acks,
        replication=replication,
        min_insync=min_insync,
        lease_seconds=found.seconds("lease_seconds", maximum=MAX_LEASE_SECONDS) or LEASE_SECONDS,
    )


def _access(found: ClusterUrl) -> dict[str, Any]:
    tls = tls_of(found, scheme="kafkas")
    login = bool(found.user or found.password)
    access: dict[str, Any] = {"security_protocol": ("SASL_" * login) + ("SSL" if tls else "PLAINTEXT")}
    if tls:
        access["ssl_context"] = tls
    mechanism = found.parameters.get("sasl", _SASL[0])
    if mechanism not in _SASL:
        raise found.refused(f"sasl is {mechanism!r}; it has to be one of {', '.join(_SASL)}")
    if "sasl" in found.parameters and not login:
        raise found.refused("sasl goes with a user and a password")
    if login:
        access |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": found.user,
            "sasl_plain_password": found.password,
        }
    return access


class TooFewBrokers(StoreUnavailable):
    """The cluster has fewer brokers than a topic is to have copies; more may be starting."""


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed once the cluster is well again."""
    # What the client's own loop raises while it is closed under a call is a RuntimeError.
    transient = (RetriableError, UnknownBrokerIdError, BrokerNotAvailableError, TooFewBrokers, OSError, RuntimeError)
    return isinstance(error, transient)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into `StoreUnavailable`."""
    try:
        yield
    except (KafkaError, OSError, RuntimeError) as error:
        raise StoreUnavailable(f"The event log did not answer: {error}") from error


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Several calls that share OUTLAST_SECONDS and one request: then they are ended, with `StoreUnavailable`."""
    most_seconds = OUTLAST_SECONDS + REQUEST_SECONDS
    try:
        async with asyncio.timeout(most_seconds):
            yield
    except TimeoutError as error:
        raise StoreUnavailable(f"The event log did not answer within {most_seconds:.0f} s.") from error


async def outlast(
    call: Callable[[], Awaitable[Answer]],
    *,
    mended: tuple[type[BaseException], ...] = (),
    between: Callable[[], Awaitable[None]] | None = None,
) -> Answer:
    """Repeat a call that may be repeated while the cluster is away, with jitter; `between` comes before each repetition.

    Raises `StoreUnavailable` after OUTLAST_SECONDS and what the call then takes, and at once for an error that neither waiting
    nor `between` mends.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + OUTLAST_SECONDS

    async def before(_: RetryCallState) -> None:
        if between is not None:
            await between()

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: is_transient(error) or isinstance(error, mended)),
        stop=lambda _: clock() >= deadline,
        wait=wait_random_exponential(multiplier=0.05, max=1.0),
        before_sleep=before,
        reraise=True,
    )
    with translated():
        try:
            return await call()  # as almost always: repeating costs more than a record
        except Exception as error:
            if clock() >= deadline or not (is_transient(error) or isinstance(error, mended)):
                raise
        if between is not None:
            await between()
        async for attempt in retrying:
            with attempt:
                answer = await call()
    return answer


def administer(options: KafkaOptions, *, seconds: float = REQUEST_SECONDS) -> KafkaAdminClient:
    return _opened(KafkaAdminClient, **_common(options, seconds))


def produce(options: KafkaOptions) -> KafkaProducer:
    """Idempotent unless acks is 1: what it sends again by itself is stored once, and in order."""
    return _opened(
        KafkaProducer,
        **_common(options),
        acks="all" if options.acks == "all" else 1,
        delivery_timeout_ms=round(OUTLAST_SECONDS * 1000),
        max_block_ms=round(REQUEST_SECONDS * 1000),
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def read_alone(options: KafkaOptions) -> KafkaConsumer:
    """A consumer without a group, whose place is its caller's."""
    return _opened(KafkaConsumer, **_consuming(options, READ_WAIT_SECONDS))


def join_group(options: KafkaOptions, group: str) -> KafkaConsumer:
    """A member of a group, which commits what it is told to."""
    return _opened(
        KafkaConsumer,
        **_consuming(options, FETCH_WAIT_SECONDS),
        group_id=group,
        session_timeout_ms=round(options.lease_seconds * 1000),
        heartbeat_interval_ms=round(min(HEARTBEAT_SECONDS, options.lease_seconds / 4) * 1000),
        # How long a rebalance waits for a member that still sends heartbeats.
        max_poll_interval_ms=round(max(REJOIN_SECONDS, options.lease_seconds) * 1000),
        # The eager protocol; a member keeps its position in the streams that stay with it all the same.
        partition_assignment_strategy=(RangePartitionAssignor,),
    )


def _common(options: KafkaOptions, seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
    return {
        "bootstrap_servers": list(options.servers),
        "client_id": "marquee",
        "bootstrap_timeout_ms": round(seconds * 1000),
        "request_timeout_ms": round(seconds * 1000),
        "reconnect_backoff_max_ms": 500,
        "metadata_max_age_ms": 60_000,
        **options.access,
    }


def _consuming(options: KafkaOptions, wait_seconds: float) -> dict[str, Any]:
    return {
        **_common(options),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        # Also how long a poll sleeps that has nothing to wait for yet.
        "retry_backoff_ms": 25,
        "fetch_max_wait_ms": round(wait_seconds * 1000),
        "fetch_max_bytes": FETCH_BYTES,
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


class _Refusal(logging.Handler):
    """The client tells its log alone why it reached no broker: an unknown authority, a wrong password, nobody there."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why = ""

    def forget(self) -> None:
        self.why = ""

    def emit(self, record: logging.LogRecord) -> None:
        for told in record.args if isinstance(record.args, tuple) else ():
            # The first attempt's: the last one has little time left, and ends for want of it.
            if isinstance(told, BaseException) and not self.why:
                self.why = str(told)


_refusal: Final = _Refusal()


def _listen_to_the_clients_log() -> None:
    """Nothing of it goes further: it tells of every attempt to reach a broker that is away."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    connecting = logging.getLogger("kafka.net.manager")
    connecting.setLevel(logging.WARNING)
    connecting.propagate = False
    if _refusal not in connecting.handlers:
        connecting.addHandler(_refusal)


def _opened(make: Callable[..., Client], **settings: Any) -> Client:
    _listen_to_the_clients_log()
    _refusal.forget()
    begun: list[KafkaNetClient] = []

    def begin(**configuration: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**configuration))
        return begun[-1]

    try:
        return make(kafka_client=begin, **settings)
    except BaseException as error:
        for client in begun:
            client.close()
        # Of several that are opened at once the reason may be another's: they reach for the same brokers.
        why = _refusal.why
        if isinstance(error, KafkaTimeoutError) and why:
            # A broker closes the connection on a wrong password; the client may see that before it sees the broker's answer.
            unsaid = settings.get("sasl_mechanism") and "disconnected" in why
            hint = " (are user and password right?)" if unsaid else ""
            raise KafkaTimeoutError(f"{' '.join(map(str, error.args))}: {why}{hint}") from error
        raise
