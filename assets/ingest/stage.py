"""What every stage shares: which version it works for, its documents, its progress, and what its failure does.

The version is in the run's tags, which the sensor sets. A run that a person starts in the UI has none: it works for the
title's newest version. A refused file is recorded with its sentence and its files are removed: an outcome (`outcomes`). A fault
of the platform is retried by the step, then by Dagster's run retries; after the last attempt it is recorded as failed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import dagster as dg
import msgspec

from assets.ingest.cancelling import remove_what_it_stored, until_cancelled
from assets.ingest.outcomes import NO_RETRY_TAG, Context, call_by_name, failure_without_retry, tell_refusal
from assets.ingest.partitions import OUTAGE_RETRY, VERSION_TAG
from assets.ingest.progress import comes_after_publishing, overall_percent
from assets.metadata import note_table
from marquee.documents import (
    ONCE_IN_MANIFEST,
    STAGES,
    SourceDocument,
    StageDocument,
    from_earlier_manifest,
    keys,
    notes_in,
)
from marquee.domain.lifecycle import SHOWN_VERSIONS
from marquee.errors import (
    ChunkFailed,
    IngestCancelled,
    MarqueeError,
    ObjectMissing,
    SettingsInvalid,
    SourceRefused,
    StageMissing,
    StoreUnavailable,
    TitleUnknown,
)
from marquee.ingest.outages import through_outages
from marquee.ingest.removal import remove_published
from marquee.ingest.source_cache import SourceCache
from marquee.ingest.unfinished import remove_unfinished
from marquee.notes import Note, bounded, parse_codes, refusal
from marquee.settings import Settings
from marquee.stores.catalogue.values import Upload
from marquee.stores.opened import Stores, open_stores

Document = TypeVar("Document", bound=msgspec.Struct)

REPORT_SECONDS: Final = 1.0


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
        """The masters on this host, shared with its transcode workers."""
        return SourceCache(self.settings.state, limit_bytes=self.settings.source_cache_bytes)

    def hold_source(self, source: SourceDocument) -> AbstractAsyncContextManager[Path]:
        """The accepted master as a file on this host. It stays there until the end of the block."""
        return self.sources.hold(self.stores.objects, source.key, sha256=source.sha256, size_bytes=source.size_bytes)

    async def read(self, stage: str, kind: type[Document]) -> Document:
        """The document of an earlier stage, also if an earlier release wrote it. Raises `StageMissing`."""
        try:
            return msgspec.json.decode(await self._body(stage), type=kind)
        except ObjectMissing as missing:
            found = await self._from_earlier_manifest(stage)
            if isinstance(found, kind):
                return found
            raise StageMissing(
                f"Version {self.version} of {self.movie_id} has no result of the stage `{stage}`. What is published of a version "
                f"is removed when it fails. Run it again from `{stage}` on."
            ) from missing

    async def _from_earlier_manifest(self, stage: str) -> msgspec.Struct | None:
        """The document inside the manifest of an earlier release. None where there is no manifest, or no document in it."""
        if stage not in ONCE_IN_MANIFEST:
            return None
        with contextlib.suppress(ObjectMissing):
            return from_earlier_manifest(stage, await self._body("manifest"))
        return None

    async def _body(self, stage: str) -> bytes:
        key = keys.stage_key(self.movie_id, self.version, stage)
        return await through_outages(lambda: self.stores.objects.get(key))

    async def read_source(self) -> SourceDocument:
        return await self.read("source", SourceDocument)

    async def save_document(self, document: StageDocument) -> None:
        """Store this stage's document and tell its notes. A stage does this last: the document says that the stage is done.

        Raises `SourceRefused` for a note that the setting `refuse_notes` names.
        """
        await self._tell(document.notes)
        document = msgspec.structs.replace(document, notes=bounded(document.notes))
        await self.restate(self.name, document)
        await self.report(1.0)

    async def restate(self, name: str, document: StageDocument) -> None:
        """Replace the document of an earlier stage, where this one found out better."""
        key = keys.stage_key(self.movie_id, self.version, name)
        body = msgspec.json.format(msgspec.json.encode(document), indent=1)
        await through_outages(lambda: self.stores.objects.put(key, body, content_type="application/json"))

    async def _tell(self, notes: Sequence[Note]) -> None:
        """Store the stage's notes on the version, show them on the asset's page, and refuse the film for the chosen ones."""
        told = bounded(notes)
        await through_outages(
            lambda: self.stores.catalogue.versions.set_notes(self.movie_id, self.version, {self.name: told})
        )
        if reason := refusal(notes, parse_codes(self.settings.refuse_notes)):
            raise SourceRefused(reason)
        if isinstance(self.context, dg.AssetExecutionContext):
            self.context.add_asset_metadata(note_table(told))

    async def collect_notes(self) -> dict[str, list[Note]]:
        """The notes in the documents of the stages before this one, by stage; also those that an earlier release stored."""
        found: dict[str, list[Note]] = {}
        for stage in STAGES[: STAGES.index(self.name)]:
            with contextlib.suppress(ObjectMissing):
                found[stage] = bounded(notes_in(await self._body(stage)))
        return found

    async def report(self, share: float, *, speed: float | None = None) -> None:
        """Record how far this stage is (0 to 1), for the title's page."""
        await through_outages(
            lambda: self.stores.catalogue.versions.report_progress(
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
        """A callback for work that knows its own share (0 to 1).

        Every second the share is reported, scaled to `first` to `last` of the stage.
        """
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
    """One stage of this run's version, with the stores that it names. Its errors become what Dagster and the title's page show.

    Checks never report progress: a report would set a failed version back to "ingesting".
    """
    movie_id = context.partition_key
    async with open_stores(settings) as stores:
        try:
            title = await through_outages(lambda: stores.catalogue.titles.get(movie_id))
            stage = Stage(name, context, settings, stores, await _upload(context, stores, movie_id))
        except TitleUnknown as error:
            raise failure_without_retry(context, f"Title {movie_id} was deleted: nothing is left to do.") from error
        call_by_name(context, title.details.title)
        try:
            with raise_first_of_group():
                async with until_cancelled(stores.catalogue.versions, stage.upload):
                    if reports:
                        await stage.report(0.0)
                    yield stage
        except IngestCancelled as cancelled:
            await remove_what_it_stored(stores, stage.upload)
            raise failure_without_retry(context, cancelled.detail) from cancelled
        except SourceRefused as refusal:
            await _refuse(stage, refusal.detail)
            if isinstance(context, dg.AssetCheckExecutionContext):
                raise failure_without_retry(context, refusal.detail) from refusal
            tell_refusal(context, refusal.detail)
        except TitleUnknown as error:
            await remove_unfinished(stores, movie_id, stage.version)
            raise failure_without_retry(context, f"Title {movie_id} was deleted while it was ingested.") from error
        except (ChunkFailed, StageMissing) as error:
            await _fail(stage, error.detail)
            raise failure_without_retry(context, error.detail) from error
        except SettingsInvalid as error:
            if not comes_after_publishing(name):
                await _fail(stage, f"{name}: {error.detail}")
            raise failure_without_retry(context, error.detail) from error
        except Exception as error:
            if is_last_attempt(context) and not comes_after_publishing(name):
                detail = error.detail if isinstance(error, MarqueeError) else repr(error)
                await _fail(stage, f"{name}: {detail}")
            if isinstance(error, MarqueeError):
                raise dg.Failure(description=error.detail) from error
            raise


@contextmanager
def raise_first_of_group() -> Iterator[None]:
    """Raise the first error of an exception group: the group's other tasks were cancelled because of it."""
    try:
        yield
    except ExceptionGroup as failures:
        first: Exception = failures
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        raise first from failures


async def _refuse(stage: Stage, reason: str) -> None:
    """Remove what the ingest made, then record the reason.

    A version that is or was playable keeps its files: then only this later run of it is refused.
    """
    version = await through_outages(lambda: stage.stores.catalogue.versions.get(stage.movie_id, stage.version))
    if version.state not in SHOWN_VERSIONS:
        await remove_unfinished(stage.stores, stage.movie_id, stage.version)
    await _record_outcome(stage.stores.catalogue.versions.refuse, stage, reason)


async def _fail(stage: Stage, reason: str) -> None:
    """Record the reason, then remove what is published of the version, unless viewers have it or had it.

    With a store down, or with a URL that cannot be used, that is left to housekeeping (`remove_failed_versions`): the reason must
    not be lost.
    """
    await _record_outcome(stage.stores.catalogue.versions.fail, stage, reason)
    with contextlib.suppress(StoreUnavailable, SettingsInvalid):
        version = await stage.stores.catalogue.versions.get(stage.movie_id, stage.version)
        if version.state not in SHOWN_VERSIONS:
            await remove_published(stage.stores.objects, stage.stores.published, stage.movie_id, stage.version)


async def _record_outcome(record: Callable[[str, int, str], Awaitable[None]], stage: Stage, reason: str) -> None:
    await through_outages(lambda: record(stage.movie_id, stage.version, reason))


async def fail_by_check(stage: Stage, reason: str) -> None:
    """Record why a blocking check failed. Neither step nor run is retried: the result would be the same."""
    stage.context.instance.add_run_tags(stage.context.run.run_id, NO_RETRY_TAG)
    await _fail(stage, reason)


def is_last_attempt(context: Context) -> bool:
    """Whether a failure now is final: the step has no retry left, and Dagster would not retry the run."""
    if context.retry_number < OUTAGE_RETRY.max_retries:
        return False
    instance = context.instance
    if not instance.run_retries_enabled or not instance.run_retries_retry_on_asset_or_op_failure:
        return True
    group = instance.get_run_group(context.run.run_id)
    return group is not None and len(list(group[1])) > instance.run_retries_max_retries


async def _upload(context: Context, stores: Stores, movie_id: str) -> Upload:
    tagged = context.run.tags.get(VERSION_TAG)
    number = int(tagged) if tagged else (await stores.catalogue.versions.newest(movie_id)).version
    return await stores.catalogue.uploads.of_version(movie_id, number)
