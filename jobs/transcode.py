"""`python -m jobs.transcode`: one transcode worker, one chunk at a time.

Claims jobs from the job queue, when `chunk-jobs` wakes it and every 2 s, and reads masters through the host's source cache.
Writes a chunk's renditions to `chunks/{job_id}/{attempt}/{rung}.mp4`, and then the job's result with the lease's fencing token.
Renews the lease at a third of its length; when the lease is lost, ffmpeg ends at once. SIGKILL of a worker costs its chunk and
nothing else. SIGTERM gives the chunk back, and its attempt does not count. An engine that is away is waited for, however long.
"""

import asyncio
import contextlib
import errno
import os
import secrets
import socket
import time

import msgspec

from marquee.documents import ChunkJob, ChunkResult, RenditionPart, keys
from marquee.errors import LeaseLost, MarqueeError, ObjectMissing, SourceRefused, StoreUnavailable
from marquee.events import CHUNK_JOBS
from marquee.ingest.outages import through_outages
from marquee.ingest.source_cache import SourceCache, file_sha256
from marquee.ingest.work_folder import work_folder
from marquee.logs import get_logger, log_context
from marquee.media.encode.transcode import EncodedPart, transcode_chunk
from marquee.processes.hints import Hints
from marquee.processes.repeating import until_answered
from marquee.processes.runner import Process, run_process
from marquee.settings import Settings
from marquee.stores.job_queue.contract import JobQueue, Lease
from marquee.stores.objects.contract import Objects

POLL_SECONDS = 2.0
NICENESS = 10
"""Below every engine and the API: a viewer's request goes before an encode."""
_RELEASE_SECONDS = 3.0
log = get_logger()


class TranscodeWorker:
    """Claims and transcodes chunks until told to stop."""

    def __init__(self, settings: Settings, queue: JobQueue, objects: Objects, hints: Hints, *, name: str) -> None:
        self._settings = settings
        self._queue = queue
        self._objects = objects
        self._hints = hints
        self._name = name
        self._cache = SourceCache(settings.state, limit_bytes=settings.source_cache_bytes)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                lease = await until_answered(
                    stop, lambda: self._queue.claim(self._name, lease_seconds=self._settings.lease_seconds)
                )
            except StoreUnavailable:
                continue  # told to stop while the queue was away
            if lease is None:
                await self._hints.wait(stop, timeout_seconds=POLL_SECONDS)
            else:
                await self._hold(lease, stop)

    async def _hold(self, lease: Lease, stop: asyncio.Event) -> None:
        """Work on a lease until it is done, lost or given back, whichever comes first."""
        progress = _Share()
        work = asyncio.create_task(self._work(lease, progress))
        keeping = asyncio.create_task(self._keep(lease, progress))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({work, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worked, given_back = work.done(), not keeping.done()
        for task in (work, keeping, stopping):
            task.cancel()
        await asyncio.gather(work, keeping, stopping, return_exceptions=True)
        if worked:
            work.result()
        elif given_back:
            log.info("chunk given back", job_id=lease.job_id)
            with contextlib.suppress(LeaseLost, StoreUnavailable, TimeoutError):  # then the lease ends by itself
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._queue.release(lease)
        else:
            log.warning("lease lost", job_id=lease.job_id, token=lease.token)

    async def _keep(self, lease: Lease, progress: "_Share") -> None:
        """Renew the lease until it is lost. With the queue gone nobody else can claim either: go on, and ask again."""
        seconds = self._settings.lease_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            try:
                await self._queue.extend(lease, lease_seconds=seconds, progress=progress.value)
            except LeaseLost:
                return
            except StoreUnavailable as error:
                log.warning("lease not renewed", job_id=lease.job_id, detail=error.detail)

    async def _work(self, lease: Lease, progress: "_Share") -> None:
        started = time.monotonic()
        try:
            result = await self._transcode(lease, progress, started)
            await through_outages(lambda: self._queue.complete(lease, msgspec.json.encode(result)))
        except LeaseLost:
            log.warning("lease lost before completion", job_id=lease.job_id, token=lease.token)
        except Exception as error:
            reason, retry = _judge_fault(error)
            log.error("chunk failed", job_id=lease.job_id, attempt=lease.attempt, retry=retry, reason=reason)
            with contextlib.suppress(LeaseLost):
                await through_outages(lambda: self._queue.fail(lease, reason, retry=retry))
        else:
            log.info("chunk done", job_id=lease.job_id, seconds=round(time.monotonic() - started, 2))

    async def _transcode(self, lease: Lease, progress: "_Share", started: float) -> ChunkResult:
        job = msgspec.json.decode(lease.payload, type=ChunkJob)
        source = job.source
        async with work_folder(self._settings.state, f"chunk-{job.job_id[:12]}") as folder:
            async with self._cache.hold(
                self._objects, source.key, sha256=source.sha256, size_bytes=source.size_bytes
            ) as path:
                encoded = await transcode_chunk(
                    job,
                    path,
                    folder,
                    memory_bytes=self._settings.process_memory_bytes,
                    on_progress=lambda report: progress.set(report.frame / job.chunk.frames),
                )
            # Of its own: who lost its lease without knowing, or sweeps old chunks, touches no other attempt's objects.
            attempt = f"{lease.token}-{secrets.token_hex(4)}"
            parts = [
                await self._store(keys.chunk_key(job.result_prefix, attempt, part.rung), part) for part in encoded.parts
            ]
        return ChunkResult(
            parts=parts,
            cpu_seconds=encoded.cpu_seconds,
            wall_seconds=time.monotonic() - started,
            worker=self._name,
            decoded_again=encoded.decoded_again,
        )

    async def _store(self, key: str, part: EncodedPart) -> RenditionPart:
        size_bytes = part.path.stat().st_size
        sha256 = await asyncio.to_thread(file_sha256, part.path)
        await through_outages(lambda: self._objects.put_file(key, part.path, content_type="video/mp4"))
        stored = await through_outages(lambda: self._objects.head(key))
        if stored is None or stored.size_bytes != size_bytes:
            raise ObjectMissing(f"{key} was stored but is not there with its {size_bytes} bytes.")
        return RenditionPart(rung=part.rung, key=key, size_bytes=size_bytes, frames=part.frames, sha256=sha256)


class _Share:
    """How much of a chunk is encoded, 0 to 1; written by ffmpeg's progress, read by the lease's renewal."""

    value = 0.0

    def set(self, value: float) -> None:
        self.value = min(1.0, max(0.0, value))


def _judge_fault(error: Exception) -> tuple[str, bool]:
    """What to tell of a failed attempt, and whether another attempt may end differently."""
    match error:
        case SourceRefused():
            return error.detail, False
        case msgspec.DecodeError():
            return f"The job cannot be read by this version of the worker: {error}", False
        case MarqueeError():
            return error.detail, True
        case OSError(errno=errno.ENOSPC):
            return f"The disk of worker {socket.gethostname()} is full: free some space there.", True
        case _:
            return f"{type(error).__name__}: {error}", True


async def run(process: Process) -> None:
    os.nice(NICENESS)
    name = f"{socket.gethostname()}:{os.getpid()}"
    stores, hints = process.stores, Hints(process.stores.event_log, CHUNK_JOBS)
    await process.ready(stores.job_queue)
    with log_context(worker=name):
        await TranscodeWorker(process.settings, stores.job_queue, stores.objects, hints, name=name).run(process.stop)


if __name__ == "__main__":
    raise SystemExit(run_process("transcode", run))
