"""What every stage of the chain shares: which version it works for, its documents, its progress, and what its failure does.

Which version: the run's tags (set by the sensor), else, in a run that a person starts in the UI, the title's newest. Failures:
a refusal by the file's own fault is recorded with its sentence, cleaned up and never retried; a fault of the platform's is
retried by the step, then by Dagster's run retries, and recorded as failed when nothing more will be tried.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import dagster as dg
import msgspec

from assets.ingest.partitions import PATIENCE, VERSION_TAG
from assets.ingest.progress import overall_percent
from assets.ingest.removal import remove_half_made
from marquee.documents import STAGES, SourceDocument, stage_key
from marquee.errors import ChunkFailed, MarqueeError, SourceRefused, TitleUnknown
from marquee.ingest.outages import through_outages
from marquee.ingest.source_cache import SourceCache
from marquee.settings import Settings
from marquee.stores.catalogue.values import Upload
from marquee.stores.opened import Stores, open_stores

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext
Document = TypeVar("Document", bound=msgspec.Struct)

REPORT_SECONDS: Final = 1.0
_NO_RETRY_TAG: Final = {"dagster/retry_on_asset_or_op_failure": "false"}


@dataclass(frozen=True)
class Stage:
    """One stage of one version's ingest, while its asset runs."""

    name: str
    context: Context
    settings: Settings
    stores: Stores
    upload: Upload

    @property
    def movie_id(self) -> str:
        return self.upload.movie_id

    @property
    def version(self) -> int:
        return self.upload.version

    @property
    def sources(self) -> SourceCache:
        """The host's masters, shared with its transcode workers."""
        return SourceCache(self.settings.state, limit_bytes=self.settings.source_cache_bytes)

    def hold_source(self, source: SourceDocument) -> AbstractAsyncContextManager[Path]:
        """The accepted master's path on this host, until the end of the block."""
        return self.sources.hold(self.stores.objects, source.key, sha256=source.sha256, size_bytes=source.size_bytes)

    async def read(self, stage: str, kind: type[Document]) -> Document:
        """The document that an earlier stage left. Raises `ObjectMissing`."""
        key = stage_key(self.movie_id, self.version, stage)
        return msgspec.json.decode(await through_outages(lambda: self.stores.objects.get(key)), type=kind)

    async def read_source(self) -> SourceDocument:
        return await self.read("source", SourceDocument)

    async def leave(self, document: msgspec.Struct) -> None:
        """Leave this stage's document: the last thing that a stage does."""
        key = stage_key(self.movie_id, self.version, self.name)
        body = msgspec.json.format(msgspec.json.encode(document), indent=1)
        await through_outages(lambda: self.stores.objects.put(key, body, content_type="application/json"))
        await self.report(1.0)

    async def report(self, share: float, *, speed: float | None = None) -> None:
        """Tell the title's page how far this stage is (0 to 1)."""
        await through_outages(
            lambda: self.stores.catalogue.report_progress(
                self.movie_id,
                self.version,
                stage=self.name,
                percent=overall_percent(self.name, share),
                speed=speed,
                run_id=self.context.run.run_id,
            )
        )

    @asynccontextmanager
    async def reporting(self, first: float, last: float) -> AsyncIterator[Callable[[float], None]]:
        """For work that tells its share (0 to 1) from a callback: reported every second as `first` to `last` of the stage."""
        share = 0.0

        def tell(value: float) -> None:
            nonlocal share
            share = value

        async def follow() -> None:
            while True:
                await asyncio.sleep(REPORT_SECONDS)
                await self.report(first + (last - first) * share)

        following = asyncio.create_task(follow())
        try:
            yield tell
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


@asynccontextmanager
async def open_stage(context: Context, settings: Settings, name: str, *, reports: bool = True) -> AsyncIterator[Stage]:
    """Open the stores for one stage of this run's version; turns its errors into what Dagster and the title's page show.

    A check does not report: it would take a version that another check has just failed for being worked on again.
    """
    movie_id = context.partition_key
    async with open_stores(settings) as stores:
        try:
            await through_outages(lambda: stores.catalogue.title(movie_id))
            stage = Stage(name, context, settings, stores, await _upload(context, stores, movie_id))
            if reports:
                await stage.report(0.0)
        except TitleUnknown as error:
            raise final_failure(context, f"Title {movie_id} was deleted: there is nothing left to do.") from error
        try:
            with first_reason():
                yield stage
        except SourceRefused as refusal:
            await _refuse(stage, refusal.detail)
            raise final_failure(context, refusal.detail) from refusal
        except TitleUnknown as error:
            await remove_half_made(stores, movie_id, stage.version)
            raise final_failure(context, f"Title {movie_id} was deleted while it was ingested.") from error
        except ChunkFailed as error:
            await _tell(stores.catalogue.fail, stage, error.detail)
            raise final_failure(context, error.detail) from error
        except Exception as error:
            if nothing_more_is_tried(context) and not _is_published(name):
                detail = error.detail if isinstance(error, MarqueeError) else repr(error)
                await _tell(stores.catalogue.fail, stage, f"{name}: {detail}")
            if isinstance(error, MarqueeError):
                raise dg.Failure(description=error.detail) from error
            raise


@contextmanager
def first_reason() -> Iterator[None]:
    """Of what failed side by side, the first is the reason: the others were cancelled for it."""
    try:
        yield
    except ExceptionGroup as failures:
        first: Exception = failures
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        raise first from failures


async def _refuse(stage: Stage, reason: str) -> None:
    """Take away what was half made, then say why. A version that viewers have, or had, stays: another run of it was refused."""
    version = await through_outages(lambda: stage.stores.catalogue.version(stage.movie_id, stage.version))
    if version.state not in ("playable", "superseded"):
        await remove_half_made(stage.stores, stage.movie_id, stage.version)
    await _tell(stage.stores.catalogue.refuse, stage, reason)


async def _tell(tell: Callable[[str, int, str], Awaitable[None]], stage: Stage, reason: str) -> None:
    await through_outages(lambda: tell(stage.movie_id, stage.version, reason))


async def fail_by_check(stage: Stage, reason: str) -> None:
    """A blocking check did not hold: the title's page says why, and no retry would find otherwise."""
    stage.context.instance.add_run_tags(stage.context.run.run_id, _NO_RETRY_TAG)
    await _tell(stage.stores.catalogue.fail, stage, reason)


def nothing_more_is_tried(context: Context) -> bool:
    """Whether neither the step's retries nor Dagster's run retries would follow a failure now."""
    if context.retry_number < PATIENCE.max_retries:
        return False
    instance = context.instance
    if not instance.run_retries_enabled or not instance.run_retries_retry_on_asset_or_op_failure:
        return True
    group = instance.get_run_group(context.run.run_id)
    return group is not None and len(list(group[1])) > instance.run_retries_max_retries


async def _upload(context: Context, stores: Stores, movie_id: str) -> Upload:
    tagged = context.run.tags.get(VERSION_TAG)
    number = int(tagged) if tagged else (await stores.catalogue.newest_version(movie_id)).version
    return await stores.catalogue.requested_by(movie_id, number)


def final_failure(context: Context, sentence: str) -> dg.Failure:
    """A failure that neither the step nor the run retries; the sentence is what the UI shows."""
    context.instance.add_run_tags(context.run.run_id, _NO_RETRY_TAG)
    return dg.Failure(description=sentence, allow_retries=False)


def _is_published(stage: str) -> bool:
    """Past `title` the version is playable, whatever fails."""
    return STAGES.index(stage) > STAGES.index("title")
