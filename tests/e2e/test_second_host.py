"""A second host with transcode workers: told three addresses and S3's keys, it takes chunks; lost, it costs only those.

The engines listen on the first host's address as an operator's own servers would, under passwords and access rules of their own.
The scenario runs in a process of its own, which moves into the first host's network namespace.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import multiprocessing
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from marquee.documents import ChunkJob, ChunkResult
from marquee.platform import local_engines
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.job_queue.contract import JobStatus
from marquee.stores.opened import Stores, open_stores
from marquee.stores.schema.migrate import migrate
from tests.harness.chain import prepare, worker, write_environment
from tests.harness.media.films import made
from tests.harness.secured import valkey_answers
from tests.harness.servers import make_test_settings, running, running_s3
from tests.harness.two_hosts import AWAY, HOME, TwoHosts, move_into, two_hosts
from tests.jobs.test_transcode import queued, statuses_when

pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("second_host"), pytest.mark.soak]

FILM = "testsrc2=s=640x360:r=30:d=120"
WORKERS = 2
WAIT_SECONDS = 120.0


def test_a_second_host_takes_chunks_and_its_loss_costs_only_those(tmp_path: Path) -> None:
    with two_hosts() as hosts:
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, context, move_into, (hosts.home,)) as on_the_first_host:
            on_the_first_host.submit(scenario, hosts, tmp_path).result(timeout=400)


def scenario(hosts: TwoHosts, folder: Path) -> None:
    """On the first host. Raises AssertionError for what does not hold."""
    home = folder / "home"
    home.mkdir()
    with serving_others(home) as settings:
        asyncio.run(lose_a_host(hosts, settings, folder))


@contextlib.contextmanager
def serving_others(folder: Path) -> Iterator[Settings]:
    """PostgreSQL, event log and S3 that listen on this host's address for the other one; the settings by which all use them."""
    settings = make_test_settings(
        folder, bind_host=HOME, inner_host=HOME, lease_seconds=3.0, profile="fast", chunk_segments=1
    )
    password = secrets.token_hex(8)
    log_url = f"valkey://:{password}@{HOME}:{settings.port('log')}"
    database = replaced(
        local_engines.postgres(settings), "listen_addresses=127.0.0.1", f"listen_addresses={HOME},127.0.0.1"
    )
    log = replaced(local_engines.valkey_log(settings), "127.0.0.1", HOME)
    log = dataclasses.replace(
        log, command=(*log.command, "--requirepass", password), ready=lambda: valkey_answers(log_url)
    )
    with (folder / "postgres" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {AWAY}/32 scram-sha-256\nhost all all {HOME}/32 scram-sha-256\n")
    with running(database, folder), running(log, folder), running_s3(settings):
        settings = settings.model_copy(
            update={
                "database_url": settings.postgres_url("marquee").replace("127.0.0.1", HOME),
                "event_log_url": log_url,
                "coordination_url": f"{log_url}/1",
                "objects_url": settings.objects,
                "published_url": settings.published,
            }
        )
        write_environment(settings)
        migrate(settings.database)
        asyncio.run(prepare(settings))
        yield settings


def replaced(program: Program, argument: str, instead: str) -> Program:
    """A program with one of its arguments changed, as an operator would."""
    assert argument in program.command, f"{program.name} has no argument {argument}"
    return dataclasses.replace(
        program, command=tuple(instead if part == argument else part for part in program.command)
    )


def told_to_the_second_host(settings: Settings, state: Path) -> dict[str, str]:
    """What README says that a host of workers needs; and how many, and a short lease for the test's sake."""
    return {
        "PATH": os.environ["PATH"],
        "MARQUEE_STATE": str(state),
        "MARQUEE_ONLY": "transcode",
        "MARQUEE_DATABASE_URL": settings.database_url,
        "MARQUEE_EVENT_LOG_URL": settings.event_log_url,
        "MARQUEE_OBJECTS_URL": settings.objects_url,
        "MARQUEE_S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "MARQUEE_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "MARQUEE_TRANSCODE_WORKERS": str(WORKERS),
        "MARQUEE_LEASE_SECONDS": str(settings.lease_seconds),
    }


async def lose_a_host(hosts: TwoHosts, settings: Settings, folder: Path) -> None:
    state = folder / "away"
    state.mkdir()
    film = await made(folder / "film.mp4", FILM, preset="ultrafast", pix_fmt="yuv420p")
    async with open_stores(settings) as stores, queued(stores, film, preset="veryfast") as jobs:
        log = folder / "away.log"
        command = [sys.executable, "-m", "marquee.cli", "up", "--foreground"]
        second = hosts.start_away(
            command, environment=told_to_the_second_host(settings, state), hidden=settings.state, log=log
        )
        try:
            await until_it_works(stores, jobs, log)
            assert not hosts.listeners_away(), "nobody need reach a host of workers"
            hosts.freeze_away()
            held = await leased(stores, jobs)
        finally:
            hosts.cut_power_away()
            second.wait()
        assert len(held) <= WORKERS
        with worker(settings):
            found = await statuses_when(stores, jobs, "done")
        attempts = {status.job_id: status.attempts for status in found}
        assert {attempts[job_id] for job_id in held} == {2}, "what the lost host had in hand is made again"
        assert {number for job_id, number in attempts.items() if job_id not in held} == {1}, "and nothing else is"
        made_by = {
            status.job_id: msgspec.json.decode(status.result or b"", type=ChunkResult).worker for status in found
        }
        assert any(name.startswith("away:") for name in made_by.values()), "the second host's finished chunks stand"
        assert not any(made_by[job_id].startswith("away:") for job_id in held)
        await all_is_stored(stores, jobs, found)


async def until_it_works(stores: Stores, jobs: list[ChunkJob], log: Path) -> None:
    """Until the second host has finished a chunk and each of its workers is at another one."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                states = [status.state for status in await stores.job_queue.statuses([job.job_id for job in jobs])]
                if "done" in states and states.count("leased") == WORKERS:
                    return
                assert states.count("done") < len(jobs), "the film is too short for this test"
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        error.add_note(log.read_text()[-2000:])
        raise


async def leased(stores: Stores, jobs: list[ChunkJob]) -> set[str]:
    statuses = await stores.job_queue.statuses([job.job_id for job in jobs])
    return {status.job_id for status in statuses if status.state == "leased"}


async def all_is_stored(stores: Stores, jobs: list[ChunkJob], found: list[JobStatus]) -> None:
    for job, status in zip(jobs, found, strict=True):
        result = msgspec.json.decode(status.result or b"", type=ChunkResult)
        assert [part.rung for part in result.parts] == [rung.name for rung in job.settings.rungs]
        for part in result.parts:
            info = await stores.objects.head(part.key)
            assert info is not None, f"{part.key} is missing although its job is done"
            assert (info.size_bytes, part.frames) == (part.size_bytes, job.chunk.frames)
