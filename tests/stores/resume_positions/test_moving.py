"""Resume positions move to another engine while viewers watch: no position is lost, and no read returns an older one."""

import asyncio
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import InputInvalid
from marquee.stores.resume_positions import open_movable, open_resume_positions
from marquee.stores.resume_positions.contract import (
    Event,
    Forgotten,
    ResumePosition,
    key_of,
    newest_first,
    precedence,
)
from marquee.stores.resume_positions.moving import Pass, move, resumed
from marquee.stores.schema.migrate import migrate
from tests.harness.moving_viewers import NOW_MS, Process, Viewers

pytestmark = pytest.mark.xdist_group("cassandra")

PROCESSES = 4
VIEWERS = 12


@pytest.fixture
def urls(cassandra_url: str, empty_database: str) -> dict[str, str]:
    """Two empty stores."""
    migrate(empty_database)
    return {
        "postgres": empty_database,
        "cassandra": cassandra_url.replace("/marquee?", f"/test_{secrets.token_hex(6)}?"),
    }


both_ways = pytest.mark.parametrize(("old", "new"), [("postgres", "cassandra"), ("cassandra", "postgres")])


def some_events(count: int) -> list[Event]:
    """Events of different titles; every fifth one is `Forgotten`."""
    viewers = [new_profile_id() for _ in range(1 + count // 20)]
    return [
        Forgotten(random.choice(viewers), new_movie_id(), NOW_MS - number)
        if number % 5 == 0
        else ResumePosition(random.choice(viewers), new_movie_id(), number, NOW_MS - number)
        for number in range(count)
    ]


async def move_all(source_url: str, target_url: str) -> list[Pass]:
    source, target = open_movable(source_url), open_movable(target_url)
    passes = [step async for step in move(source, target, begin=Pass()) if step.ended]
    await source.close()
    await target.close()
    return passes


@both_ways
async def test_a_running_platform_moves_without_losing_a_write(urls: dict[str, str], old: str, new: str) -> None:
    old_url, new_url = urls[old], urls[new]
    before = some_events(1000)
    store = open_movable(old_url)
    await store.record_many(before)
    await store.close()

    processes = [Process() for _ in range(PROCESSES)]
    for process in processes:
        await process.restart(old_url)
    viewers = Viewers(processes)

    async def operate() -> None:
        for process in processes:  # step 1: every process reads both stores and writes to the old one
            await viewers.write_some()
            await process.restart(old_url, read_also=new_url)
        viewers.everybody_reads_both = True
        moving = asyncio.create_task(move_all(old_url, new_url))
        for process in processes:  # step 2: one process after the other writes to the new store
            await viewers.write_some()
            await process.restart(new_url, read_also=old_url)
        await moving
        assert (await move_all(old_url, new_url))[-1].moved == 0
        for process in processes:  # step 3: the old store is not used any more
            await viewers.write_some()
            await process.restart(new_url)
        await viewers.write_some()
        viewers.stop()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(VIEWERS):
            tasks.create_task(viewers.watch())
        tasks.create_task(operate())
    for process in processes:
        await process.stop()

    moved = open_movable(new_url)
    expected = {key_of(event): event for event in before} | viewers.acknowledged
    assert await moved.events(list(expected)) == expected
    everything = {event async for page in moved.scan() for event in page.events}
    assert everything == set(expected.values()), "a store has a position that no viewer wrote"
    await moved.close()


@both_ways
async def test_the_newer_event_stays_whichever_store_has_it(urls: dict[str, str], old: str, new: str) -> None:
    source, target = open_movable(urls[old]), open_movable(urls[new])
    user_id = new_profile_id()
    kinds: list[Event] = [
        event
        for moment in (NOW_MS, NOW_MS + 1)
        for event in (
            Forgotten(user_id, "m", moment),
            ResumePosition(user_id, "m", 1, moment),
            ResumePosition(user_id, "m", 2, moment),
        )
    ]
    pairs = [(first, second) for first in kinds for second in kinds]
    here = [with_title(first, f"m_{place}") for place, (first, _) in enumerate(pairs)]
    there = [with_title(second, f"m_{place}") for place, (_, second) in enumerate(pairs)]
    await source.record_many(here)
    await target.record_many(there)
    expected = {max(pair, key=precedence) for pair in zip(here, there, strict=True)}

    both = open_resume_positions(urls[new], read_also=urls[old])
    positions = newest_first(list(expected), limit=100)
    assert list(await both.continue_watching(user_id, limit=100)) == list(positions)
    assert list(await both.continue_watching(user_id, limit=3)) == list(positions[:3])
    for event in expected:
        assert await both.get(*key_of(event)) == (event if isinstance(event, ResumePosition) else None)
    await both.close()

    passes = [step async for step in move(source, target, begin=Pass()) if step.ended]
    differ = sum(precedence(first) > precedence(second) for first, second in zip(here, there, strict=True))
    assert [(step.read, step.moved) for step in passes] == [(len(pairs), differ), (len(pairs), 0)]
    assert set(await target.events_of_viewer(user_id)) == expected
    await source.close()
    await target.close()


def with_title(event: Event, movie_id: str) -> Event:
    if isinstance(event, Forgotten):
        return Forgotten(event.user_id, movie_id, event.event_time_ms)
    return ResumePosition(event.user_id, movie_id, event.position_ms, event.event_time_ms)


async def test_a_pass_that_began_midway_is_not_the_last(urls: dict[str, str]) -> None:
    source, target = open_movable(urls["postgres"]), open_movable(urls["cassandra"])
    events = some_events(50)
    await source.record_many(events)
    steps = [step async for step in move(source, target, begin=Pass())]
    early = ResumePosition("p_", "m_early", 5, NOW_MS)  # first in the order of the scan
    await source.record(early)
    again = [step async for step in move(source, target, begin=resumed(steps[0])) if step.ended]
    assert [step.whole for step in again] == [False, True, True]
    assert [step.moved for step in again] == [50, 1, 0], "what was written before its cursor comes with the next"
    assert await target.get("p_", "m_early") == early
    assert resumed(steps[-1]) == Pass(steps[-1].number + 1)
    with pytest.raises(InputInvalid):
        _ = [step async for step in move(target, source, begin=Pass(cursor=steps[0].cursor))]
    await source.close()
    await target.close()


async def test_the_command_goes_on_where_it_was_killed(urls: dict[str, str], tmp_path: Path) -> None:
    events = some_events(12_000)
    source, target = open_movable(urls["postgres"]), open_movable(urls["cassandra"])
    await source.record_many(events)
    await target.ping()  # creates the keyspace
    environment = {**os.environ, "MARQUEE_STATE": str(tmp_path / "state")}
    arguments = [str(Path(sys.executable).parent / "marquee"), "migrate", "resume-positions", "--json"]
    arguments += ["--from", urls["postgres"], "--to", urls["cassandra"]]

    killed = await asyncio.create_subprocess_exec(
        *arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "state" / "moving").glob("*.json")):
        assert killed.returncode is None, "it ended before its first page"
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    killed.kill()
    assert await killed.wait() == -signal.SIGKILL

    ran = await asyncio.to_thread(
        subprocess.run, arguments, env=environment, capture_output=True, text=True, timeout=240, check=True
    )
    said: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["kind"] for line in said] == ["pass", "pass", "moved"]
    assert [(line["whole"], line["read"]) for line in said[:2]] == [(False, 12_000), (True, 12_000)]
    assert said[1]["moved"] == 0
    assert "the new store has every position" in ran.stderr
    assert await target.events([key_of(event) for event in events]) == {key_of(event): event for event in events}
    assert not list((tmp_path / "state" / "moving").glob("*.json")), "a move that is done leaves no place behind"
    await source.close()
    await target.close()
