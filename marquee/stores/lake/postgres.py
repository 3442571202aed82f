"""`Lake` with its list in PostgreSQL (`lake_file`, `lake_position`, `lake_erasure`).

Every change is one transaction and may be repeated. Concurrent changes exclude each other by rows, not by locks: a rewrite takes
effect only if all files that it replaces are still live. Two locks until the end of a transaction remain: of a partition that
is replaced, and of the erasures, so that no commit of the sink misses an erasure that was asked for before it. PostgreSQL down:
calls wait and are repeated as `connections.postgres` says, then `StoreUnavailable`.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.errors import InputInvalid
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement, in_transaction
from marquee.stores.lake import postgres_erasures
from marquee.stores.lake.arrow import parquet
from marquee.stores.lake.contract import EVENTS, Erased, Erasure, LakeFile, LakeFiles, NewFile, Position
from marquee.stores.lake.errors import ErasuresChanged, LakeFileRetired, SinkOvertaken
from marquee.stores.lake.paths import new_path
from marquee.stores.lake.postgres_turn import PostgresTurn, take_turn

_LIVE: Final = text(
    "SELECT path, dataset, hour, rows, bytes, created_at FROM lake_file WHERE dataset = :dataset AND retired_at IS NULL"
    " AND (CAST(:start AS timestamptz) IS NULL OR hour >= :start) AND (CAST(:end AS timestamptz) IS NULL OR hour < :end)"
    " ORDER BY hour, path"
)
_FIRST_HOUR: Final = text(
    "SELECT hour FROM lake_file WHERE dataset = :dataset AND retired_at IS NULL"
    " AND (CAST(:since AS timestamptz) IS NULL OR hour >= :since) ORDER BY hour LIMIT 1"
)
_DATASETS: Final = text("SELECT DISTINCT dataset FROM lake_file WHERE retired_at IS NULL ORDER BY dataset")
_LIST: Final = text(
    "INSERT INTO lake_file (path, dataset, hour, rows, bytes) VALUES (:path, :dataset, :hour, :rows, :bytes)"
)
_LISTED: Final = text("SELECT path FROM lake_file WHERE path = ANY(:paths)")
_RETIRE: Final = text(
    "UPDATE lake_file SET retired_at = now() WHERE path = ANY(:paths) AND retired_at IS NULL RETURNING path"
)
_RETIRE_PARTITION: Final = text(
    "UPDATE lake_file SET retired_at = now() WHERE dataset = :dataset AND hour = :hour AND retired_at IS NULL"
)
_LOCK_PARTITION: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('lake partition ' || :dataset || ' ' || CAST(:hour AS text), 0))"
)
_RETIRE_OLDER: Final = text(
    "UPDATE lake_file SET retired_at = now() WHERE hour < :before AND retired_at IS NULL RETURNING path"
)
_RETIRED: Final = text(
    "SELECT path FROM lake_file WHERE retired_at <= now() - make_interval(secs => :seconds)"
    " ORDER BY retired_at, path LIMIT :limit"
)
_FORGET: Final = text("DELETE FROM lake_file WHERE path = ANY(:paths) AND retired_at IS NOT NULL")
_TAKE_OVER: Final = text(
    "INSERT INTO lake_position AS p (topic, cursor, generation) VALUES (:topic, '', 1)"
    " ON CONFLICT (topic) DO UPDATE SET generation = p.generation + 1, written_at = now()"
    " RETURNING cursor, generation, written_at"
)
_POSITION: Final = text("SELECT cursor, generation, written_at FROM lake_position WHERE topic = :topic")
_RENEW: Final = text(
    "UPDATE lake_position SET written_at = now() WHERE topic = :topic AND generation = :generation RETURNING topic"
)
_MOVE: Final = text(
    "UPDATE lake_position SET cursor = :cursor, written_at = now()"
    " WHERE topic = :topic AND generation = :generation AND cursor = :before RETURNING topic"
)
_FINDINGS: Final = (
    text("DELETE FROM daily_profile WHERE profile_id = ANY(:profile_ids) RETURNING profile_id"),
    text("DELETE FROM suggestion WHERE profile_id = ANY(:profile_ids) RETURNING profile_id"),
    text("DELETE FROM genre_taste WHERE profile_id = ANY(:profile_ids) RETURNING profile_id"),
)
"""Every table of what analytics found that names a profile."""


class PostgresLake:
    """See `Lake`."""

    def __init__(self, url: str, files: LakeFiles) -> None:
        self._url = url
        self.database = Database(url)
        self.files = files

    @in_statement
    async def live_files(
        self,
        connection: AsyncConnection,
        dataset: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[LakeFile]:
        found = await connection.execute(_LIVE, {"dataset": dataset, "start": start, "end": end})
        return [self._file(row) for row in found.mappings()]

    @in_statement
    async def first_hour(
        self, connection: AsyncConnection, dataset: str, since: datetime | None = None
    ) -> datetime | None:
        found = await connection.execute(_FIRST_HOUR, {"dataset": dataset, "since": since})
        return found.scalar_one_or_none()

    @in_statement
    async def datasets(self, connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(_DATASETS)).scalars())

    def _file(self, row: RowMapping) -> LakeFile:
        return LakeFile(
            path=row["path"],
            dataset=row["dataset"],
            hour=row["hour"],
            rows=row["rows"],
            size_bytes=row["bytes"],
            uri=self.files.uri(row["path"]),
            created_at=row["created_at"],
        )

    # --- changes of the list -----------------------------------------------------------------------------
    async def replace(self, dataset: str, partition_start: datetime, local_files: Sequence[Path]) -> list[NewFile]:
        if dataset == EVENTS:
            raise InputInvalid("The files of events are added by the sink and never replaced.", field="dataset")
        new = [await self._stored(dataset, partition_start, local) for local in local_files]
        await self._replace(dataset, partition_start, new)
        return new

    async def _stored(self, dataset: str, partition_start: datetime, local: Path) -> NewFile:
        metadata = await asyncio.to_thread(parquet().read_metadata, local)
        path = new_path(dataset, partition_start)
        await self.files.put_file(path, local)
        return NewFile(path, dataset, partition_start, metadata.num_rows, local.stat().st_size)

    @in_transaction
    async def _replace(
        self, connection: AsyncConnection, dataset: str, partition_start: datetime, new: Sequence[NewFile]
    ) -> None:
        partition = {"dataset": dataset, "hour": partition_start}
        await connection.execute(_LOCK_PARTITION, partition)
        if new and await _are_listed(connection, new):
            return
        await connection.execute(_RETIRE_PARTITION, partition)
        await _list(connection, new)

    @in_transaction
    async def append(
        self,
        connection: AsyncConnection,
        files: Sequence[NewFile],
        topic: str,
        position: Position,
        cursor: str,
        *,
        erased: int,
    ) -> None:
        await connection.execute(postgres_erasures.SHARE_ERASURES)
        moved = {"topic": topic, "generation": position.generation, "before": position.cursor or "", "cursor": cursor}
        if not (await connection.execute(_MOVE, moved)).first():
            found = (await connection.execute(_POSITION, {"topic": topic})).mappings().first()
            if found and (found["generation"], found["cursor"]) == (position.generation, cursor):
                return  # the answer to an earlier commit was lost
            raise SinkOvertaken(f"Another sink writes {topic} now: this one's batch is left to it.")
        if (await connection.execute(postgres_erasures.ERASED_NUMBER)).scalar_one() != erased:
            raise ErasuresChanged("An erasure was asked for while a batch was written: write the batch again.")
        await _list(connection, files)

    @in_transaction
    async def rewrite(self, connection: AsyncConnection, old: Collection[str], new: Sequence[NewFile]) -> None:
        retired = (await connection.execute(_RETIRE, {"paths": sorted(old)})).scalars().all()
        if len(retired) == len(set(old)):
            await _list(connection, new)
        elif not (new and not retired and await _are_listed(connection, new)):
            raise LakeFileRetired(
                f"{len(set(old)) - len(retired)} of {len(old)} files were replaced by another change: read the list again."
            )

    @in_transaction
    async def retire_older(self, connection: AsyncConnection, before: datetime) -> int:
        return len((await connection.execute(_RETIRE_OLDER, {"before": before})).all())

    @in_statement
    async def retired_files(self, connection: AsyncConnection, *, older_than_seconds: float, limit: int) -> list[str]:
        found = await connection.execute(_RETIRED, {"seconds": older_than_seconds, "limit": limit})
        return list(found.scalars())

    @in_statement
    async def forget(self, connection: AsyncConnection, paths: Sequence[str]) -> None:
        await connection.execute(_FORGET, {"paths": list(paths)})

    @in_statement
    async def unlisted(self, connection: AsyncConnection, paths: Sequence[str]) -> list[str]:
        listed = set((await connection.execute(_LISTED, {"paths": list(paths)})).scalars())
        return [path for path in paths if path not in listed]

    # --- how far the sink is -----------------------------------------------------------------------------
    @in_statement
    async def take_over(self, connection: AsyncConnection, topic: str) -> Position:
        return _position((await connection.execute(_TAKE_OVER, {"topic": topic})).mappings().one())

    @in_statement
    async def position(self, connection: AsyncConnection, topic: str) -> Position | None:
        found = (await connection.execute(_POSITION, {"topic": topic})).mappings().first()
        return _position(found) if found else None

    @in_statement
    async def renew(self, connection: AsyncConnection, topic: str, generation: int) -> None:
        if not (await connection.execute(_RENEW, {"topic": topic, "generation": generation})).first():
            raise SinkOvertaken(f"Another sink writes {topic} now.")

    # --- erasure -----------------------------------------------------------------------------------------
    @in_statement
    async def erased(self, connection: AsyncConnection) -> Erased:
        found = (await connection.execute(postgres_erasures.ERASED)).all()
        return Erased(max((number for number, _ in found), default=0), frozenset(profile for _, profile in found))

    @in_transaction
    async def ask_erasure(self, connection: AsyncConnection, profile_id: str) -> None:
        await postgres_erasures.ask(connection, [profile_id], is_deleted=False)

    @in_statement
    async def erasures(self, connection: AsyncConnection) -> list[Erasure]:
        return await postgres_erasures.listed(connection)

    @in_statement
    async def erased_through(
        self, connection: AsyncConnection, profile_ids: Collection[str], scanned_at: datetime
    ) -> None:
        await postgres_erasures.erased_through(connection, profile_ids, scanned_at)

    @in_statement
    async def watching_erased(self, connection: AsyncConnection, profile_id: str) -> None:
        await postgres_erasures.watching_erased(connection, profile_id)

    @in_statement
    async def forget_erasures(self, connection: AsyncConnection, asked_before: datetime) -> int:
        return await postgres_erasures.forget(connection, asked_before)

    @in_transaction
    async def delete_findings(self, connection: AsyncConnection, profile_ids: Collection[str]) -> int:
        erased = {"profile_ids": sorted(profile_ids)}
        return sum([len((await connection.execute(each, erased)).all()) for each in _FINDINGS])

    async def take_turn(self, name: str) -> PostgresTurn | None:
        return await take_turn(self._url, name)

    async def ping(self) -> None:
        await self.database.ping()
        await self.files.ping()

    async def close(self) -> None:
        await self.files.close()
        await self.database.close()


def _position(row: RowMapping) -> Position:
    return Position(row["cursor"] or None, row["generation"], row["written_at"])


async def _list(connection: AsyncConnection, files: Sequence[NewFile]) -> None:
    if files:
        await connection.execute(
            _LIST,
            [
                {
                    "path": each.path,
                    "dataset": each.dataset,
                    "hour": each.hour,
                    "rows": each.rows,
                    "bytes": each.size_bytes,
                }
                for each in files
            ],
        )


async def _are_listed(connection: AsyncConnection, files: Sequence[NewFile]) -> bool:
    """Whether an earlier attempt of this transaction was committed and its answer was lost."""
    paths = [each.path for each in files]
    return len((await connection.execute(_LISTED, {"paths": paths})).all()) == len(set(paths))
