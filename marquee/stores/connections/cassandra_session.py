"""A session of Cassandra's driver: connected, with what our stores need of the schema made where it is missing.

Everything here blocks, and is called in a thread. A keyspace or table that exists is left as it is, so that an operator may
make it with other options, and the right to make one is needed only by the first process.
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from cassandra import AuthenticationFailed, DriverException, Unauthorized
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.policies import ConstantReconnectionPolicy, DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.protocol import ConfigurationException, ErrorMessage
from cassandra.query import tuple_factory

from marquee.logs import get_logger
from marquee.stores.connections.cassandra_url import CassandraUrl

CONNECT_SECONDS: Final = 5.0
"""Of one attempt to connect."""
REQUEST_SECONDS: Final = 5.0
"""Of one request, seen from here; a coordinator's own time-outs are 2 s for a write and 5 s for a read."""
SCHEMA_SECONDS: Final = 30.0
HEARTBEAT_SECONDS: Final = 5.0
"""A connection that says nothing for this long is asked, and given up if it says nothing for as long again."""
RECONNECT_SECONDS: Final = 0.25
PAGE_ROWS: Final = 5000
TABLE_IDS: Final = uuid.UUID("5a0e3a58-6d17-4a52-9c3b-0d1f6f6c7a11")

log = get_logger()


class _Nodes:
    """The driver notices which nodes are up; whoever reads our log should too."""

    def on_up(self, host: Any) -> None:
        log.info("a Cassandra node is up", node=str(host.endpoint))

    def on_down(self, host: Any) -> None:
        log.warning("a Cassandra node is down", node=str(host.endpoint))

    def on_add(self, _: Any) -> None:
        return None

    def on_remove(self, _: Any) -> None:
        return None


def connect(url: CassandraUrl) -> tuple[Cluster, Session]:
    """The cluster is the caller's to shut down. Raises the driver's errors."""
    # It would print each attempt that fails with its stack; what fails is raised here, and nodes are logged above.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=url.local_dc)),
        consistency_level=url.consistency,
        request_timeout=REQUEST_SECONDS,
        row_factory=tuple_factory,
    )
    cluster = Cluster(
        contact_points=url.contact_points,
        protocol_version=5,
        auth_provider=PlainTextAuthProvider(url.user, url.password) if url.user else None,
        ssl_context=url.tls,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT_SECONDS, None),
        connect_timeout=CONNECT_SECONDS,
        control_connection_timeout=CONNECT_SECONDS,
        idle_heartbeat_interval=HEARTBEAT_SECONDS,
        idle_heartbeat_timeout=HEARTBEAT_SECONDS,
        monitor_reporting_enabled=False,
        application_name="marquee",
    )
    try:
        session = cluster.connect()
    except BaseException:
        cluster.shutdown()
        raise
    cluster.register_listener(_Nodes())
    # Each write states its own time.
    session.use_client_timestamp = False
    session.default_fetch_size = PAGE_ROWS
    return cluster, session


def make_missing(url: CassandraUrl, cluster: Cluster, session: Session, tables: Mapping[str, str]) -> None:
    """The keyspace, with the URL's replication, and `tables` (name -> columns). Raises the driver's errors."""
    keyspace = cluster.metadata.keyspaces.get(url.keyspace)
    missing = [table for table in tables if keyspace is None or table not in keyspace.tables]
    if keyspace is None:
        replication = {"class": "NetworkTopologyStrategy", **url.replication}
        session.execute(
            f"CREATE KEYSPACE IF NOT EXISTS {url.keyspace} WITH replication = {replication}", timeout=SCHEMA_SECONDS
        )
    for table in missing:
        # The same id whoever makes it: two nodes asked at one time would give it two, and each keep its own.
        table_id = uuid.uuid5(TABLE_IDS, f"{url.keyspace}.{table}")
        session.execute(
            f"CREATE TABLE IF NOT EXISTS {url.keyspace}.{table} ({tables[table]}) WITH id = {table_id}",
            timeout=SCHEMA_SECONDS,
        )
    if missing:
        # Where somebody else was first, the driver does not wait until every node has heard of it.
        cluster.refresh_schema_metadata(SCHEMA_SECONDS)


def is_refused(error: Exception) -> bool:
    """True for what waiting does not mend: a wrong password, no right to do this, a data centre that there is not."""
    reasons = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    return any(isinstance(reason, (AuthenticationFailed, Unauthorized, ConfigurationException)) for reason in reasons)


def is_transient(error: Exception) -> bool:
    """True for what may be over in a moment: a node that is away, a time-out, too few copies alive, a node that has
    not heard yet of a table that another one has just made (the one request of ours that Cassandra finds invalid).
    """
    known = (DriverException, NoHostAvailable, ErrorMessage, ConnectionException, ConnectionBusy, OSError)
    return isinstance(error, known) and not is_refused(error)


def said(error: BaseException | None) -> str:
    """The reason of an error of the driver, in one line."""
    reasons = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    if not reasons:
        return "no node of it is up"
    return "; ".join(" ".join(str(reason).split())[:200] for reason in reasons[:2])
