"""Counts what is lost and what is doubled when sinks are killed at every step (`killed_sink`)."""

import asyncio
import secrets
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from marquee.concurrency import gather_bounded
from marquee.ingest.lake.sweep import sweep_unlisted
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.lake.contract import EVENTS
from tests.harness.lake.events import encoded, event
from tests.harness.lake.killed_sink import Plan, steps_of
from tests.harness.lake.lakes import live_rows, opened

BATCH_ROWS = 20
MAX_CONCURRENT_PUBLISHES = 32


@dataclass(frozen=True)
class Kills:
    killed: int
    asked: int
    events: int
    lost: int
    doubled: int
    unlisted: int
    """Files that the kills left, all swept afterwards."""


async def measure(settings: Settings, event_log_url: str, folder: Path, *, kills: int) -> Kills:
    """`kills` sinks are killed at each step, in a random order; the last sink is not."""
    topic = f"kills-{secrets.token_hex(6)}"
    asked = kills * len(steps_of(settings.lake))
    # A kill after the commit uses a batch up, and a kill at the second time needs two.
    events = BATCH_ROWS * 2 * (asked + 2)
    now = datetime.now(UTC)
    event_log = open_event_log(event_log_url)
    await event_log.ensure_topic(topic, streams=4)

    async def publish(number: int) -> None:
        at = now - timedelta(hours=number % 2)
        await event_log.publish(topic, f"v_{number % 7}", encoded(event(number, at=at)))

    async with opened(settings) as lake:
        await gather_bounded(publish, range(events), max_concurrent=MAX_CONCURRENT_PUBLISHES)
        await event_log.close()
        plan = Plan(_told(settings), event_log_url, topic, kills, BATCH_ROWS, seed=7)
        written = folder / "plan.json"
        written.write_bytes(msgspec.json.encode(plan))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.harness.lake.killed_sink", str(written)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0, "a sink failed for another reason than its kill"
        found = Counter(row["event_id"] for row in await live_rows(lake, folder))
        expected = {f"e_{number}" for number in range(events)}
        unlisted = await sweep_unlisted(lake, older_than_seconds=-3600)
        listed = {file.path for file in await lake.live_files(EVENTS)}
        assert {file.path async for file in lake.files.list()} == listed, (
            "a kill left a file that the sweep does not remove"
        )
        return Kills(
            killed=int((folder / "plan.json.killed").read_text()),
            asked=asked,
            events=events,
            lost=len(expected - found.keys()),
            doubled=sum(found.values()) - len(found.keys() & expected),
            unlisted=unlisted,
        )


def _told(settings: Settings) -> dict[str, str]:
    return {
        "state": str(settings.state),
        "database_url": settings.database,
        "lake_url": settings.lake,
        "s3_access_key": settings.s3_access_key.get_secret_value(),
        "s3_secret_key": settings.s3_secret_key.get_secret_value(),
    }
