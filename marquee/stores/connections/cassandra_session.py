"""Opens a session of Cassandra's driver and creates the keyspace and tables that are missing.

Decides the driver's time-outs, how the client picks a node, and which driver errors are refusals or transient. Everything
here blocks: `cassandra.py` calls it in a thread. An existing keyspace or table is left as it is, so that an operator may
create it with other options. Only the first process needs the right to create one.
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
"""Time-out of one attempt to connect."""
REQUEST_SECONDS: Final = 5.0
"""The client's time-out of one request. The coordinator's own are 2 s for a write and 5 s for a read."""
SCHEMA_SECONDS: Final = 30.0
HEARTBEAT_SECONDS: Final = 5.0
"""A connection idle for this long is probed. It is closed if the probe is not answered for as long again."""
RECONNECT_SECONDS: Final = 0.25
PAGE_ROWS: Final = 5000
TABLE_ID_NAMESPACE: Final = uuid.UUID("5a0e3a58-6d17-4a52-9c3b-0d1f6f6c7a11")
"""Namespace of the tables' ids, which are UUIDs of version 5 over `keyspace.table`."""

log = get_logger()


class _NodeLog:
    """Logs which nodes the driver sees go up and down."""

    def on_up(self, host: Any) -> None:
        log.info("a Cassandra node is up", node=str(host.endpoint))

    def on_down(self, host: Any) -> None:
        log.warning("a Cassandra node is down", node=str(host.endpoint))

    def on_add(self, _: Any) -> None:
        return None

    def on_remove(self, _: Any) -> None:
        return None


def connect(url: CassandraUrl) -> tuple[Cluster, Session]:
    """Connect; the caller shuts the cluster down. Raises the driver's errors."""
    # The driver logs each failed attempt with its stack trace. Failures are raised here, and `_NodeLog` logs the nodes.
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
    cluster.register_listener(_NodeLog())
    # Each write states its own timestamp, so the driver must not add the client's.
    session.use_client_timestamp = False
    session.default_fetch_size = PAGE_ROWS
    return cluster, session


def create_missing_tables(url: CassandraUrl, cluster: Cluster, session: Session, tables: Mapping[str, str]) -> None:
    """Create the keyspace, with the URL's replication, and `tables` (name -> columns) if missing. Raises the driver's errors."""
    keyspace = cluster.metadata.keyspaces.get(url.keyspace)
    missing = [table for table in tables if keyspace is None or table not in keyspace.tables]
    if keyspace is None:
        replication = {"class": "NetworkTopologyStrategy", **url.replication}
        session.execute(
            f"CREATE KEYSPACE IF NOT EXISTS {url.keyspace} WITH replication = {replication}", timeout=SCHEMA_SECONDS
        )
    for table in missing:
        # The id is a function of the name. Otherwise two nodes that create the table at once would each keep another id.
        table_id = uuid.uuid5(TABLE_ID_NAMESPACE, f"{url.keyspace}.{table}")
        session.execute(
            f"CREATE TABLE IF NOT EXISTS {url.keyspace}.{table} ({tables[table]}) WITH id = {table_id}",
            timeout=SCHEMA_SECONDS,
        )
    if missing:
        # If another process created the table first, the driver does not wait until every node knows it.
        cluster.refresh_schema_metadata(SCHEMA_SECONDS)


def is_refused(error: Exception) -> bool:
    """True for an error that lasts until an operator acts: wrong password, missing right, unknown data centre."""
    reasons = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    return any(isinstance(reason, (AuthenticationFailed, Unauthorized, ConfigurationException)) for reason in reasons)


def is_transient(error: Exception) -> bool:
    """True for an error that may pass within seconds: a node that is down, a time-out, too few live replicas.

    Also an invalid request. Only one cause is known: a node that does not know a table yet that another node just created.
    """
    known = (DriverException, NoHostAvailable, ErrorMessage, ConnectionException, ConnectionBusy, OSError)
    return isinstance(error, known) and not is_refused(error)


def reason_of(error: BaseException | None) -> str:
    """Why the driver failed, in one line: at most two nodes' reasons of 200 characters each."""
    reasons = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    if not reasons:
        return "no node is up"
    return "; ".join(" ".join(str(reason).split())[:200] for reason in reasons[:2])
