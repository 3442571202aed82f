"""Debezium Server and Kafka Connect in the place of the embedded Debezium: same slot, tables, topic, key and envelope."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from jobs.search_sync import read_change
from marquee.documents import SearchDocument
from marquee.domain import ids
from marquee.events import CAPTURE_HEARTBEATS, METADATA_CHANGES, TOPIC_STREAMS
from marquee.platform import local_engines
from marquee.platform.project import PROJECT
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.change_capture.debezium import TABLE, TOPIC_PREFIX, capture_properties
from marquee.stores.change_capture.slot import HEARTBEAT_TABLE, SLOT
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog, Record
from marquee.stores.schema.migrate import migrate
from marquee.stores.search.contract import Deletion
from tests.harness import kafka_connect
from tests.harness.restarting import RestartingServer

SERVER = PROJECT / "deploy" / "debezium" / "application.properties"
ROUTING = ("transforms", "predicates")


def connector() -> dict[str, str]:
    config: dict[str, str] = json.loads(kafka_connect.CONNECTOR.read_text())["config"]
    return config


def server() -> dict[str, str]:
    """Debezium Server's file as its engine sees it: `debezium.source.` and `debezium.` are prefixes."""
    lines = [line for line in SERVER.read_text().splitlines() if line and not line.startswith("#")]
    pairs = dict(line.split("=", 1) for line in lines)
    unescaped = {name: value.replace("\\\\", "\\") for name, value in pairs.items()}
    return {name.removeprefix("debezium.").removeprefix("source."): value for name, value in unescaped.items()}


def routing(properties: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name.startswith(ROUTING)}


@pytest.mark.parametrize("elsewhere", [connector, server], ids=["Kafka Connect", "Debezium Server"])
def test_both_capture_what_the_embedded_one_does(elsewhere: Callable[[], dict[str, str]]) -> None:
    ours = {
        name: value
        for name, value in capture_properties("postgresql://u:p@host:1/name").items()
        if not name.startswith(("database.", "value.converter"))
    }
    theirs = elsewhere()
    assert {name: theirs.get(name) for name in ours} == ours
    secrets = [value for name, value in theirs.items() if name.startswith("database.")]
    assert len(secrets) == 5
    assert all(value.startswith("${") for value in secrets), "an address or a secret stands in the file"


def test_both_publish_alike() -> None:
    connect, standing = connector(), server()
    assert routing(connect) == routing(standing)
    assert connect["key.converter"].endswith("StringConverter")
    assert (connect["value.converter"].rsplit(".", 1)[1], standing["format.value"]) == ("JsonConverter", "json")
    assert standing["format.key"] == "simplestring"
    assert connect["value.converter.schemas.enable"] == standing["format.schemas.enable"] == "false"
    assert standing["sink.kafka.producer.acks"] == "all", "the slot would move on past what is not durable"


@pytest.mark.parametrize(
    ("captured", "topic"),
    [
        (f"{TOPIC_PREFIX}.public.{TABLE}", METADATA_CHANGES),
        (f"{TOPIC_PREFIX}.public.{HEARTBEAT_TABLE}", CAPTURE_HEARTBEATS),
        (f"__debezium-heartbeat.{TOPIC_PREFIX}", CAPTURE_HEARTBEATS),
    ],
)
def test_everything_captured_has_a_topic_that_there_is(captured: str, topic: str) -> None:
    rules = routing(connector())
    routed = captured
    for name in rules["transforms"].split(","):
        if rules[f"transforms.{name}.type"].endswith("RegexRouter") and re.fullmatch(
            rules[f"transforms.{name}.regex"], routed
        ):
            routed = rules[f"transforms.{name}.replacement"]
    assert routed == topic
    assert topic in TOPIC_STREAMS
    assert bool(re.fullmatch(rules["predicates.title.pattern"], captured)) == (topic == METADATA_CHANGES)


async def changes_of(log: EventLog, cursor: str, titles: set[str], count: int) -> list[Record]:
    found: list[Record] = []
    deadline = time.monotonic() + 120
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} changes were published"
        records, cursor = await log.read(METADATA_CHANGES, cursor)
        found += [record for record in records if record.key in titles]
        await asyncio.sleep(0.05)
    return found


@pytest.mark.xdist_group("kafka")
async def test_kafka_connect_publishes_what_the_search_sync_reads(kafka_log_url: str, tmp_path: Path) -> None:
    if shutil.which("mvn") is None:
        pytest.skip("Maven is missing, by which Kafka Connect is fetched")
    log = open_event_log(kafka_log_url)
    for topic in (METADATA_CHANGES, CAPTURE_HEARTBEATS):
        await log.ensure_topic(topic, streams=TOPIC_STREAMS[topic])
    cursor = await log.cursor_at(METADATA_CHANGES, int(time.time() * 1000))
    before, after = [ids.new_movie_id() for _ in range(3)], [ids.new_movie_id() for _ in range(3)]
    async with RestartingServer(local_engines.postgres, tmp_path) as server_of_its_own:
        settings = server_of_its_own.settings
        await asyncio.to_thread(migrate, settings.database)
        catalogue = open_catalogue(settings.database)
        await catalogue.titles.announce([(movie_id, TitleDetails(title="Before")) for movie_id in before])
        with kafka_connect.running(settings, urlsplit(kafka_log_url).netloc, tmp_path):
            snapshot = await changes_of(log, cursor, set(before), 3)
            await catalogue.titles.announce([(movie_id, TitleDetails(title="After")) for movie_id in after])
            await catalogue.titles.delete(after[0])
            published = await changes_of(log, cursor, {*before, *after}, 7)
            assert await _moves_on(settings.database), "the slot stands still while no title changes"
        await catalogue.close()
    assert {record.key for record in snapshot} == set(before)
    last = {record.key: read_change(record.value)[0] for record in published}
    assert isinstance(last[after[0]], Deletion)
    assert {type(change) for key, change in last.items() if key != after[0]} == {SearchDocument}
    for record in published:
        own = await log.publish(METADATA_CHANGES, record.key, b"null")
        assert own.stream == record.stream, "a title has one stream, whoever publishes"
    await log.close()


async def _moves_on(database_url: str) -> bool:
    """Whether the slot goes past what is written now, which is of no title."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE noise AS SELECT generate_series(1, 1000)")
        deadline = time.monotonic() + 60
        cursor = await connection.execute("SELECT pg_current_wal_lsn()")
        written = await cursor.fetchone()
        assert written is not None
        while time.monotonic() < deadline:
            cursor = await connection.execute(
                "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
                (written[0], SLOT),
            )
            if await cursor.fetchone() == (True,):
                return True
            await asyncio.sleep(0.2)
        return False
