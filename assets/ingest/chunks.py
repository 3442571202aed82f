"""A version's chunk jobs, from queueing to their results.

The queue in PostgreSQL is the truth. A message on `chunk-jobs` only wakes the workers. A job's id follows from its content:
a chunk that another version made is found done. A done job is queued again if its stored result is gone. A failed job fails
the title, or its optional codec. The wait ends when no worker is alive, not after some time: a full queue may be hours long.
"""

import asyncio
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import msgspec

from assets.ingest.stage import Stage
from marquee.concurrency import gather_bounded
from marquee.documents import ChunkJob, ChunkResult
from marquee.domain.priority import priority_of
from marquee.errors import ChunkFailed, PlatformUnavailable, StoreUnavailable
from marquee.events import CHUNK_JOBS, ChunkJobsQueued
from marquee.ingest.outages import through_outages
from marquee.stores.job_queue.contract import JobStatus, NewJob

POLL_SECONDS: Final = 0.5
NO_WORKER_SECONDS: Final = 600.0
"""Jobs wait and nobody holds a lease for this long: no worker is alive."""
_MAX_CONCURRENT_HEADS: Final = 16


class SeeksFail(Exception):
    """More chunks than allowed had to be decoded from the film's start. The jobs of the version are cancelled."""

    def __init__(self, decoded_again: int, cpu_seconds: float) -> None:
        super().__init__(decoded_again)
        self.decoded_again = decoded_again
        self.cpu_seconds = cpu_seconds
        """Of the chunks that were made."""


class Chunks:
    """The jobs of one version, in chunk order. `reused[i]`: chunk i was done before this run asked for it."""

    def __init__(
        self,
        stage: Stage,
        jobs: Sequence[ChunkJob],
        *,
        span: tuple[float, float] = (0.0, 1.0),
        fails_alone: bool = False,
    ) -> None:
        """`span`: from where to where these jobs take the stage's progress.

        `fails_alone`: the title goes on without these jobs if one fails. Then only these are cancelled, else all of the version.
        """
        self._stage = stage
        self._span = span
        self._fails_alone = fails_alone
        self._jobs = jobs
        self._ids = [job.job_id for job in jobs]
        self.reused = [False] * len(jobs)

    async def queue(self) -> None:
        """Queue every job that is not done, and wake the workers.

        Done jobs are enqueued too: the queue then counts this version among those that wait for them, and the sweep keeps
        their results. Looking for the results comes after that, so no sweep can remove them in between.
        """
        before = await self._statuses()
        await self._enqueue(self._jobs)
        found = await self._statuses()
        done = {job_id: status for job_id, status in found.items() if status.state == "done"}
        lost = await self._lost(list(done.values()))
        await self._stage.stores.job_queue.requeue(sorted(lost))
        self.reused = [
            job_id in done and job_id in before and before[job_id].state == "done" and job_id not in lost
            for job_id in self._ids
        ]

    async def wait(self, *, max_decoded_again: int | None = None) -> list[ChunkResult]:
        """Every chunk's result, in order.

        Raises `ChunkFailed`, `TitleUnknown` (deleted), `PlatformUnavailable`, and `SeeksFail` once more than `max_decoded_again`
        chunks were decoded from the film's start.
        """
        started = last_alive = time.monotonic()
        while True:
            statuses = await through_outages(self._statuses)
            await self._fail_if_one_failed(statuses)
            if max_decoded_again is not None:
                await self._end_if_seeks_fail(statuses, max_decoded_again)
            if all(status.state == "done" for status in statuses.values()) and len(statuses) == len(set(self._ids)):
                return [self._result(statuses[job_id]) for job_id in self._ids]
            # Deleting a title cancels its jobs. The deleted title may share a job with this one: that job is queued again.
            await through_outages(lambda: self._stage.stores.catalogue.titles.get(self._stage.movie_id))
            gone = [
                job for job in self._jobs if job.job_id not in statuses or statuses[job.job_id].state == "cancelled"
            ]
            if gone:
                await self._enqueue(gone)
            share, speed = self._share(statuses, time.monotonic() - started)
            begin, end = self._span
            await self._stage.report(begin + share * (end - begin), speed=speed)
            if await self._workers_live(statuses):
                last_alive = time.monotonic()
            elif time.monotonic() - last_alive > NO_WORKER_SECONDS:
                raise PlatformUnavailable(
                    f"No transcode worker has taken a chunk for {NO_WORKER_SECONDS / 60:.0f} minutes: start one with "
                    "`python -m jobs.transcode`."
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _enqueue(self, jobs: Sequence[ChunkJob]) -> None:
        stage = self._stage
        new = [
            NewJob(
                job_id=job.job_id,
                movie_id=stage.movie_id,
                version=stage.version,
                payload=msgspec.json.encode(job),
                priority=priority_of(stage.upload.hot),
            )
            for job in jobs
        ]
        if await through_outages(lambda: stage.stores.job_queue.enqueue(new)) == 0:
            return
        hint = ChunkJobsQueued(movie_id=stage.movie_id, version=stage.version, count=len(new))
        try:
            await stage.stores.event_log.publish(CHUNK_JOBS, stage.movie_id, msgspec.json.encode(hint))
        except StoreUnavailable as error:
            stage.context.log.info(f"The workers get no message, and look at the queue every 2 s: {error.detail}")

    async def _statuses(self) -> dict[str, JobStatus]:
        statuses = await self._stage.stores.job_queue.statuses(self._ids)
        return {status.job_id: status for status in statuses}

    async def _fail_if_one_failed(self, statuses: dict[str, JobStatus]) -> None:
        for job in self._jobs:
            status = statuses.get(job.job_id)
            if status is None or status.state != "failed":
                continue
            if (status.movie_id, status.version) != (job.movie_id, job.version):
                await self._enqueue(
                    [job]
                )  # It failed for another title, whose master may be gone: try again with this title's.
                continue
            # The version's waiting for the other jobs keeps their results from the sweep.
            cancelled = self._ids if self._fails_alone else None
            await through_outages(
                lambda: self._stage.stores.job_queue.cancel(
                    self._stage.movie_id,
                    self._stage.version,
                    job_ids=cancelled,  # noqa: B023 - awaited at once
                )
            )
            rate = Fraction(job.settings.frame_rate)
            first, last = job.chunk.start_frame / rate, (job.chunk.start_frame + job.chunk.frames) / rate
            raise ChunkFailed(
                f"Chunk {job.chunk.index} ({float(first):.1f} to {float(last):.1f} s) could not be transcoded in "
                f"{status.attempts} attempts: {status.error}"
            )

    async def _end_if_seeks_fail(self, statuses: dict[str, JobStatus], max_decoded_again: int) -> None:
        """Reused chunks do not count: they cost nothing."""
        made = [
            self._result(statuses[job_id])
            for job_id, reused in zip(self._ids, self.reused, strict=True)
            if not reused and job_id in statuses and statuses[job_id].state == "done"
        ]
        again = sum(result.decoded_again for result in made)
        if again > max_decoded_again:
            await through_outages(
                lambda: self._stage.stores.job_queue.cancel(self._stage.movie_id, self._stage.version)
            )
            raise SeeksFail(again, sum(result.cpu_seconds for result in made))

    def _share(self, statuses: dict[str, JobStatus], seconds: float) -> tuple[float, float]:
        """(share of all frames, speed). Speed is in multiples of real time since the wait began, without reused chunks."""
        total = encoded = made = 0.0
        for job, reused in zip(self._jobs, self.reused, strict=True):
            status = statuses.get(job.job_id)
            share = 0.0 if status is None else 1.0 if status.state == "done" else status.progress
            total += job.chunk.frames
            encoded += job.chunk.frames * share
            made += 0.0 if reused else job.chunk.frames * share
        rate = Fraction(self._jobs[0].settings.frame_rate)
        return encoded / total, float(made / rate) / max(seconds, POLL_SECONDS)

    async def _workers_live(self, statuses: dict[str, JobStatus]) -> bool:
        if any(status.state == "leased" for status in statuses.values()):
            return True
        depth = await through_outages(self._stage.stores.job_queue.count_by_state)
        return depth.get("leased", 0) > 0

    async def _lost(self, done: Sequence[JobStatus]) -> set[str]:
        """The ids of the done jobs whose result is no longer whole in the object store."""

        async def is_whole(status: JobStatus) -> bool:
            for part in self._result(status).parts:
                info = await self._stage.stores.objects.head(part.key)
                if info is None or info.size_bytes != part.size_bytes:
                    return False
            return True

        whole = await gather_bounded(is_whole, done, max_concurrent=_MAX_CONCURRENT_HEADS)
        return {status.job_id for status, good in zip(done, whole, strict=True) if not good}

    @staticmethod
    def _result(status: JobStatus) -> ChunkResult:
        assert status.result is not None, f"job {status.job_id} is done without a result"
        return msgspec.json.decode(status.result, type=ChunkResult)
