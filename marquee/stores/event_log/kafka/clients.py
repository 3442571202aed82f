"""The options of a `kafka://` URL, and kafka-python's clients with the settings that this project needs.

URL: `kafka://[user:password@]host[:port][,host...][?parameter=value&...]`; `kafkas://` with TLS. Parameters:
- `acks`: all, or 1, which loses records when a leader dies. Default: all.
- `replication`, `min_insync`: of the topics that are created. Default: 3 and 2; `min_insync` is 1 for fewer than three copies. A
  single broker needs `?replication=1`.
- `lease_seconds`: the session time-out, which is how long a silent member keeps its streams.
- `sasl`: the mechanism for user and password: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN.
- those of `marquee.stores.connections.tls`.

A client that reaches no broker raises in its constructor, and leaves its sockets and its thread open. `_open` closes them.
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
"""A broker refuses less than 6 s by default (`group.min.session.timeout.ms`)."""
REQUEST_SECONDS: Final = 5.0
OUTLAST_SECONDS = 20.0
"""A killed broker is back within 5 s; on a busy machine within 15 s."""
HEARTBEAT_SECONDS: Final = 0.5
"""The longest interval: by a heartbeat a member learns that another one came or left."""
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
    """TLS and login, under the names of the clients' settings."""
    acks: str = "all"
    replication: int = COPIES
    min_insync: int = MIN_INSYNC
    lease_seconds: float = LEASE_SECONDS


def parse_options(url: str) -> KafkaOptions:
    """Raises `SettingsInvalid`, with the parameter and its value."""
    found = parse_cluster_url(url, setting=SETTING, port=PORT, known=_PARAMETERS)
    if found.name:
        raise found.refused(f"a Kafka cluster has no name: leave out what follows its hosts, {found.name!r}")
    acks = found.parameters.get("acks", "all")
    if acks not in ("all", "1"):
        raise found.refused(f"acks is {acks!r}; it has to be all or 1")
    replication = found.whole_number("replication", minimum=1, maximum=MAX_REPLICAS) or COPIES
    min_insync = found.whole_number("min_insync", minimum=1, maximum=MAX_REPLICAS) or (
        MIN_INSYNC if replication >= COPIES else 1
    )
    if min_insync > replication:
        raise found.refused(f"min_insync is {min_insync}; it has to be at most replication, which is {replication}")
    return KafkaOptions(
        servers=tuple(host.address for host in found.hosts),
        access=_tls_and_login(found),
        acks=acks,
        replication=replication,
        min_insync=min_insync,
        lease_seconds=found.seconds("lease_seconds", maximum=MAX_LEASE_SECONDS) or LEASE_SECONDS,
    )


def _tls_and_login(found: ClusterUrl) -> dict[str, Any]:
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
    """A topic needs more copies than the cluster has brokers; more brokers may be starting."""


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later, when the cluster is well again."""
    # The client's loop raises RuntimeError when another thread closes it during a call.
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
    """Give several calls OUTLAST_SECONDS and one request together, then end them with `StoreUnavailable`."""
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
    """Repeat an idempotent call with jitter while the cluster is away. `between` runs before each repetition.

    Raises `StoreUnavailable` when OUTLAST_SECONDS have passed and the last call has ended; at once for an error that is neither
    transient nor one of `mended`, which `between` mends.
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
            return await call()  # the usual case: setting up the repetition costs more than publishing a record
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
    return _open(KafkaAdminClient, **_connection_settings(options, seconds))


def produce(options: KafkaOptions) -> KafkaProducer:
    """Idempotent unless acks is 1: a record that the producer sends again is stored once, and in order."""
    return _open(
        KafkaProducer,
        **_connection_settings(options),
        acks="all" if options.acks == "all" else 1,
        delivery_timeout_ms=round(OUTLAST_SECONDS * 1000),
        max_block_ms=round(REQUEST_SECONDS * 1000),
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def read_alone(options: KafkaOptions) -> KafkaConsumer:
    """A consumer without a group: its caller keeps the position."""
    return _open(KafkaConsumer, **_consumer_settings(options, READ_WAIT_SECONDS))


def join_group(options: KafkaOptions, group: str) -> KafkaConsumer:
    """A member of a group. Nothing is committed by itself."""
    return _open(
        KafkaConsumer,
        **_consumer_settings(options, FETCH_WAIT_SECONDS),
        group_id=group,
        session_timeout_ms=round(options.lease_seconds * 1000),
        heartbeat_interval_ms=round(min(HEARTBEAT_SECONDS, options.lease_seconds / 4) * 1000),
        # A rebalance waits this long for a member that sends heartbeats but does not join again.
        max_poll_interval_ms=round(max(REJOIN_SECONDS, options.lease_seconds) * 1000),
        # The eager protocol: all streams are dealt anew. A member keeps its position in those that stay with it.
        partition_assignment_strategy=(RangePartitionAssignor,),
    )


def _connection_settings(options: KafkaOptions, seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
    return {
        "bootstrap_servers": list(options.servers),
        "client_id": "marquee",
        "bootstrap_timeout_ms": round(seconds * 1000),
        "request_timeout_ms": round(seconds * 1000),
        "reconnect_backoff_max_ms": 500,
        "metadata_max_age_ms": 60_000,
        **options.access,
    }


def _consumer_settings(options: KafkaOptions, wait_seconds: float) -> dict[str, Any]:
    return {
        **_connection_settings(options),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        # A poll that has nothing to wait for yet sleeps this long too.
        "retry_backoff_ms": 25,
        "fetch_max_wait_ms": round(wait_seconds * 1000),
        "fetch_max_bytes": FETCH_BYTES,
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


class _RefusalReason(logging.Handler):
    """Keeps the reason why a client reached no broker (unknown authority, wrong password, no listener): only its log has it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why = ""

    def forget(self) -> None:
        self.why = ""

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            # Of the first attempt: the last one often ends because no time is left.
            if isinstance(argument, BaseException) and not self.why:
                self.why = str(argument)


_refusal_reason: Final = _RefusalReason()


def _keep_refusal_reasons() -> None:
    """And pass nothing on: the client logs every attempt to reach a broker that is away."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    connecting = logging.getLogger("kafka.net.manager")
    connecting.setLevel(logging.WARNING)
    connecting.propagate = False
    if _refusal_reason not in connecting.handlers:
        connecting.addHandler(_refusal_reason)


def _open(make: Callable[..., Client], **settings: Any) -> Client:
    _keep_refusal_reasons()
    _refusal_reason.forget()
    begun: list[KafkaNetClient] = []

    def begin(**configuration: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**configuration))
        return begun[-1]

    try:
        return make(kafka_client=begin, **settings)
    except BaseException as error:
        for client in begun:
            client.close()
        # If several clients are opened at once, the reason may be another client's: all of them reach for the same brokers.
        why = _refusal_reason.why
        if isinstance(error, KafkaTimeoutError) and why:
            # A broker closes the connection after a wrong password. The client may see that before the broker's answer.
            unsaid = settings.get("sasl_mechanism") and "disconnected" in why
            hint = " (are user and password right?)" if unsaid else ""
            raise KafkaTimeoutError(f"{' '.join(map(str, error.args))}: {why}{hint}") from error
        raise
