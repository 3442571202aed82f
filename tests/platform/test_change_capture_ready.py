"""Change capture is ready once its own slot is read, in its own database."""

import contextlib
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
import tenacity

from marquee.errors import PlatformUnavailable
from marquee.platform.programs import applications, binaries
from marquee.settings import Settings
from marquee.stores.change_capture.slot import SLOT
from marquee.stores.connections.urls import libpq_url
from tests.harness.databases import own_database


@contextlib.contextmanager
def reading(url: str, slot: str) -> Iterator[None]:
    """A replication slot of a database, with a reader."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        command = (binaries.postgres("pg_recvlogical"), "-d", libpq_url(url), "--slot", slot, "--start", "-f", "-")
        command += ("-o", "proto_version=1", "-o", "publication_names=any")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as reader:
            try:
                for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(0.05)):
                    with attempt:
                        row = connection.execute(
                            "SELECT active FROM pg_replication_slots WHERE slot_name = %s", [slot]
                        ).fetchone()
                        assert row == (True,)
                yield
            finally:
                reader.kill()
                reader.wait()
                for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(0.05)):
                    with attempt:
                        connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])


async def test_only_its_own_slot_in_its_own_database_counts(postgres_server: Settings) -> None:
    with own_database(postgres_server) as own, own_database(postgres_server) as other:
        settings = postgres_server.model_copy(update={"database_url": own})
        ready = applications.change_capture(settings).ready
        for url, slot in ((own, "somebody_elses"), (other, SLOT)):
            with reading(url, slot), pytest.raises(PlatformUnavailable):
                await ready()
        with reading(own, SLOT):
            await ready()
