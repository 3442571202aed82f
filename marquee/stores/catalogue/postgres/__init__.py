"""The catalogue in PostgreSQL: each method one transaction (or one statement), its body a function of its module.

Tables: `title`, `title_version`, `title_content`, `title_genre` (the genre rows' order), `title_document` (what change
capture reads), `upload`, `outbox`; shapes in `marquee.stores.schema.tables`. Whoever changes a title locks its row first. With
PostgreSQL gone a call is tried again for some seconds, which harms nothing as every change may be repeated, then
`StoreUnavailable`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from marquee.documents import SearchDocument
from marquee.stores.catalogue.postgres import announcing, outbox, rows, titles, uploads, versions
from marquee.stores.catalogue.values import (
    OutboxEntry,
    Publication,
    RowPosition,
    Sidecar,
    Title,
    TitleCard,
    TitleDetails,
    TitleState,
    Upload,
    UploadState,
    Version,
)
from marquee.stores.connections.postgres import Database


class PostgresCatalogue:
    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._transaction = self._database.transaction_of
        self._statement = self._database.statement_of

    # --- uploads -----------------------------------------------------------------------------------------
    async def open_upload(self, upload: Upload, details: TitleDetails | None) -> Upload:
        return await self._transaction(lambda connection: uploads.open_upload(connection, upload, details))

    async def upload(self, upload_id: str) -> Upload:
        return await self._statement(lambda connection: uploads.upload(connection, upload_id))

    async def find_open_upload(self, account_id: str, file_name: str, size_bytes: int) -> Upload | None:
        return await self._statement(
            lambda connection: uploads.find_open_upload(connection, account_id, file_name, size_bytes)
        )

    async def find_resumable_upload(
        self, account_id: str, file_name: str, size_bytes: int, *, movie_id: str | None
    ) -> Upload | None:
        return await self._statement(
            lambda connection: uploads.find_resumable_upload(connection, account_id, file_name, size_bytes, movie_id)
        )

    async def resume_upload(self, upload_id: str, details: Mapping[str, object], *, hot: bool | None) -> Upload:
        return await self._transaction(
            lambda connection: uploads.resume_upload(connection, upload_id, details, hot=hot)
        )

    async def touch_upload(self, upload_id: str) -> None:
        await self._statement(lambda connection: uploads.touch_upload(connection, upload_id))

    async def add_sidecar(self, upload_id: str, sidecar: Sidecar) -> None:
        await self._transaction(lambda connection: uploads.add_sidecar(connection, upload_id, sidecar))

    async def begin_completion(self, upload_id: str) -> Upload:
        return await self._transaction(lambda connection: uploads.begin_completion(connection, upload_id))

    async def finish_completion(self, upload_id: str, *, topic: str, value: bytes) -> None:
        await self._transaction(
            lambda connection: uploads.finish_completion(connection, upload_id, topic=topic, value=value)
        )

    async def reopen_upload(self, upload_id: str) -> Upload:
        return await self._transaction(lambda connection: uploads.reopen_upload(connection, upload_id))

    async def end_upload(self, upload_id: str, state: Literal["aborted", "abandoned"]) -> None:
        await self._transaction(lambda connection: uploads.end_upload(connection, upload_id, state))

    async def uploads_untouched_since(self, moment: datetime, *, state: UploadState) -> Sequence[Upload]:
        return await self._statement(
            lambda connection: uploads.uploads_untouched_since(connection, moment, state=state)
        )

    async def uploads_without_run(self, moment: datetime) -> Sequence[Upload]:
        return await self._statement(lambda connection: uploads.uploads_without_run(connection, moment))

    async def republish_upload(self, upload_id: str, *, topic: str, value: bytes) -> bool:
        return await self._transaction(
            lambda connection: uploads.republish_upload(connection, upload_id, topic=topic, value=value)
        )

    # --- outbox ------------------------------------------------------------------------------------------
    async def outbox(self, *, limit: int = 100) -> Sequence[OutboxEntry]:
        return await self._statement(lambda connection: outbox.oldest(connection, limit=limit))

    async def mark_published(self, entry_ids: Sequence[int]) -> None:
        await self._statement(lambda connection: outbox.mark_published(connection, entry_ids))

    # --- the chain ---------------------------------------------------------------------------------------
    async def version(self, movie_id: str, version: int) -> Version:
        return await self._statement(lambda connection: versions.version(connection, movie_id, version))

    async def version_of_upload(self, upload_id: str) -> Version:
        return await self._statement(lambda connection: versions.version_of_upload(connection, upload_id))

    async def newest_version(self, movie_id: str) -> Version:
        return await self._statement(lambda connection: versions.newest_version(connection, movie_id))

    async def report_progress(
        self,
        movie_id: str,
        version: int,
        *,
        stage: str,
        percent: float,
        speed: float | None = None,
        run_id: str | None = None,
    ) -> None:
        await self._transaction(
            lambda connection: versions.report_progress(
                connection, movie_id, version, stage=stage, percent=percent, speed=speed, run_id=run_id
            )
        )

    async def claim_content(self, movie_id: str, version: int, sha256: str) -> str | None:
        return await self._transaction(lambda connection: versions.claim_content(connection, movie_id, version, sha256))

    async def refuse(self, movie_id: str, version: int, reason: str) -> None:
        await self._transaction(
            lambda connection: versions.give_up(connection, movie_id, version, state="refused", reason=reason)
        )

    async def fail(self, movie_id: str, version: int, reason: str) -> None:
        await self._transaction(
            lambda connection: versions.give_up(connection, movie_id, version, state="failed", reason=reason)
        )

    async def publish(self, publication: Publication) -> int:
        return await self._transaction(lambda connection: versions.publish(connection, publication))

    async def upload_of_version(self, movie_id: str, version: int) -> Upload:
        return await self._statement(lambda connection: uploads.upload_of_version(connection, movie_id, version))

    # --- titles ------------------------------------------------------------------------------------------
    async def title(self, movie_id: str) -> Title:
        return await self._statement(lambda connection: titles.title(connection, movie_id))

    async def titles(self, *, limit: int, after: str | None = None, state: TitleState | None = None) -> Sequence[Title]:
        return await self._statement(
            lambda connection: titles.titles(connection, limit=limit, after=after, state=state)
        )

    async def cards(self, movie_ids: Sequence[str]) -> Sequence[TitleCard]:
        return await self._statement(lambda connection: rows.cards(connection, movie_ids))

    async def edit(self, movie_id: str, details: TitleDetails, *, revision: int | None = None) -> Title:
        return await self._transaction(
            lambda connection: titles.edit(connection, movie_id, details, revision=revision),
            # Done twice, the second would find the first one's revision and report a conflict.
            repeatable=revision is None,
        )

    async def unpublish(self, movie_id: str) -> Title:
        return await self._transaction(lambda connection: titles.unpublish(connection, movie_id))

    async def republish(self, movie_id: str) -> Title:
        return await self._transaction(lambda connection: titles.republish(connection, movie_id))

    async def delete(self, movie_id: str) -> Title:
        return await self._transaction(lambda connection: titles.delete(connection, movie_id), repeatable=False)

    async def titles_deleted_before(self, moment: datetime, *, limit: int = 100) -> Sequence[str]:
        return await self._statement(lambda connection: titles.deleted_before(connection, moment, limit=limit))

    async def forget_deleted(self, movie_id: str) -> None:
        await self._transaction(lambda connection: titles.forget_deleted(connection, movie_id))

    async def announce(self, titles: Sequence[tuple[str, TitleDetails]]) -> int:
        new = 0
        for batch in announcing.batches(titles):
            new += await self._transaction(lambda connection, batch=batch: announcing.announce(connection, batch))  # type: ignore[misc]
        return new

    # --- rows --------------------------------------------------------------------------------------------
    async def genre_row(
        self, genre: str, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        return await self._statement(lambda connection: rows.genre_row(connection, genre, limit=limit, after=after))

    async def new_releases(self, *, limit: int, after: RowPosition | None) -> Sequence[tuple[TitleCard, RowPosition]]:
        return await self._statement(lambda connection: rows.new_releases(connection, limit=limit, after=after))

    # --- search documents --------------------------------------------------------------------------------
    async def documents(self) -> AsyncIterator[SearchDocument]:
        """In pages by movie_id, each a transaction: a rebuild survives a restart of the server and holds no snapshot."""
        after = ""
        while page := await self._statement(
            lambda connection, after=after: announcing.documents(connection, after=after)  # type: ignore[misc]
        ):
            for document in page:
                yield document
            after = page[-1].movie_id

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()
