"""Kills each process in turn by SIGKILL, while a film is being ingested and a viewer's positions are written.

Four things must hold. The supervisor restarts each process, and it is ready within RETURN_SECONDS. Every running ingest
succeeds without intervention. No acknowledged progress write is lost. Search finds every playable title.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.client.uploader import upload_film
from marquee.demo.checks import INGEST_SECONDS, fresh_copy, logged_in
from marquee.demo.dagster_runs import green_run, process_of_run
from marquee.demo.ingest import known_titles
from marquee.demo.report import Report, expect
from marquee.domain.lifecycle import ONGOING_VERSIONS, PLAYABLE
from marquee.errors import MarqueeError
from marquee.platform.cluster_engines.instances import Supervised
from marquee.platform.supervisor.supervision import Supervisor
from marquee.platform.topology import platform_programs
from marquee.settings import Settings

RETURN_SECONDS = 60.0
DAGSTER_RUN = "the Dagster run's process"
WRITE_EVERY_SECONDS = 0.1


@dataclass
class ProgressWriter:
    """Writes a viewer's positions continuously and records which were acknowledged."""

    api: ApiSession
    movie_id: str
    duration_seconds: float
    acknowledged: int = 0
    since_acknowledged: list[float] = field(default_factory=list)
    """The last acknowledged position and every attempt since. The store may hold any of them."""

    async def write_for_ever(self) -> None:
        number = 0
        while True:
            number += 1
            # Neighbouring values differ, and all stay below 95 % of the film, where a position would be reset.
            position = round((number * 0.37) % (self.duration_seconds * 0.9), 3)
            self.since_acknowledged.append(position)
            with contextlib.suppress(MarqueeError):
                await self.api.post("/stream/progress", {"movie_id": self.movie_id, "position_seconds": position})
                self.acknowledged += 1
                self.since_acknowledged = [position]
            await asyncio.sleep(WRITE_EVERY_SECONDS)

    async def verify(self) -> str:
        """Raise `CheckFailed` if the stored position is older than the last acknowledged one."""
        before = list(self.since_acknowledged)
        stored = (await self.api.get("/stream", movie_id=self.movie_id))["resume_position_seconds"]
        allowed = before + self.since_acknowledged
        expect(
            any(abs(stored - position) < 0.002 for position in allowed),
            f"the acknowledged position {before[0]} is lost: {stored} is stored",
        )
        return f"{self.acknowledged} writes acknowledged so far, none lost"


@asynccontextmanager
async def writing(api: ApiSession, movie_id: str) -> AsyncIterator[ProgressWriter]:
    duration = float((await api.get("/stream", movie_id=movie_id))["duration_seconds"])
    writer = ProgressWriter(api, movie_id, duration)
    task = asyncio.create_task(writer.write_for_ever())
    try:
        yield writer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass
class Ingests:
    """Keeps an ingest running: when one has ended, the next one begins."""

    settings: Settings
    api: ApiSession
    reel: Path
    folder: Path
    uploads: list[str] = field(default_factory=list)
    movie_ids: list[str] = field(default_factory=list)

    async def under_way(self, *, at_stage: str | None = None) -> dict[str, Any]:
        """Wait for a running ingest that is at this stage (None: any); return its state. Begins one if none runs."""
        deadline = asyncio.get_running_loop().time() + INGEST_SECONDS
        while True:
            state = await self.api.get(f"/uploads/{self.uploads[-1]}") if self.uploads else {"state": "none"}
            if state["state"] not in ONGOING_VERSIONS:
                await self._begin()
            elif at_stage is None or state["stage"] == at_stage:
                return dict(state)
            expect(asyncio.get_running_loop().time() < deadline, f"no ingest came to {at_stage}: {state}")
            await asyncio.sleep(0.2)

    async def _begin(self) -> None:
        number = len(self.uploads) + 1
        film = await fresh_copy(self.reel, self.folder, f"killed_{number}.mp4")
        details: dict[str, object] = {"title": f"Survivor {number}", "genres": ["Drama"], "hot": True}
        upload = await upload_film(self.api, film, details)
        self.uploads.append(upload["upload_id"])
        self.movie_ids.append(upload["movie_id"])

    async def all_green(self) -> str:
        for upload_id in self.uploads:
            ended = await follow_upload(self.api, upload_id, seconds=INGEST_SECONDS)
            expect(ended["state"] == PLAYABLE, f"an ingest ended {ended['state']}: {ended.get('reason')}")
            await green_run(self.settings, upload_id)
        return f"{len(self.uploads)} ingests met the kills, all playable and green"


async def survive_kills(
    settings: Settings, reel: Path, report: Report, *, movie_id: str, engines: Sequence[Supervised] = ()
) -> list[str]:
    """Kill every process once, one after the other. The module's docstring says what must hold.

    `engines`: programs of cluster engines, which are killed last. Returns the movie_ids of the titles ingested meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="marquee-kills-") as folder:
        async with await logged_in(settings) as api, writing(api, movie_id) as writer:
            ingests = Ingests(settings, api, reel, Path(folder))
            async with report.check(f"SIGKILL of {DAGSTER_RUN}") as said:
                state = await ingests.under_way(at_stage="renditions")
                os.kill(await _run_process(settings, state["upload_id"]), signal.SIGKILL)
                said.append("Dagster must notice and go on")
                said.append(await writer.verify())
            for victim in [*await _victims(settings), *engines]:
                name = victim.program.name
                async with report.check(f"SIGKILL of {name}") as said:
                    await ingests.under_way(at_stage="renditions" if name.startswith("transcode") else None)
                    said.append(await _kill_and_await_return(victim))
                    said.append(await writer.verify())
            async with report.check("every ingest that met a kill ends green without a hand") as said:
                said.append(await ingests.all_green())
            async with report.check("no acknowledged progress write is lost") as said:
                said.append(await writer.verify())
            async with report.check("no title is missing from search") as said:
                said.append(await _search_finds_all(api))
    return ingests.movie_ids


async def _victims(settings: Settings) -> list[Supervised]:
    """Every running program, highest stage first: the stores' engines come last."""
    supervisor = Supervisor(settings)
    running = {process.name for process in await supervisor.processes() if process.pid}
    programs = [program for program in platform_programs(settings) if program.name in running]
    return [Supervised(supervisor, program) for program in sorted(programs, key=lambda program: -program.stage)]


async def _kill_and_await_return(victim: Supervised) -> str:
    name = victim.program.name
    killed = await victim.supervisor.process(name)
    os.kill(killed.pid, signal.SIGKILL)
    loop = asyncio.get_running_loop()
    started = loop.time()
    while True:
        process = await victim.supervisor.process(name)
        if process.pid and process.pid != killed.pid:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(victim.program.ready(), 5)
                return f"back in {loop.time() - started:.1f} s"
        expect(loop.time() - started < RETURN_SECONDS, f"{name} is not back after {RETURN_SECONDS:.0f} s")
        await asyncio.sleep(0.1)


async def _run_process(settings: Settings, upload_id: str) -> int:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + RETURN_SECONDS
    while (pid := await process_of_run(settings, upload_id)) is None:
        expect(
            loop.time() < deadline, f"Dagster names no process for the run of {upload_id} after {RETURN_SECONDS:.0f} s"
        )
        await asyncio.sleep(0.1)
    return pid


async def _search_finds_all(api: ApiSession) -> str:
    playable = [title for title in (await known_titles(api)).values() if title["state"] == PLAYABLE]
    for title in playable:
        results = (await api.get("/search", q=title["title"], limit=50))["results"]
        found = [item["movie_id"] for item in results]
        expect(title["movie_id"] in found, f"search for {title['title']!r} does not find it")
    return f"all {len(playable)} playable titles are found"
