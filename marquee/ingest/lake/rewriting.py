"""Live files become one new file with the same rows, or with fewer: for compaction and for erasure.

Rows are streamed, at most `ROW_GROUP_ROWS` at once. A column that only some files have is null for the rows of the others; a
column that this version does not know is kept. The list changes last, in one transaction, and only if all files are still live.
"""

import asyncio
import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from marquee.errors import ObjectMissing, StoreUnavailable
from marquee.ingest.lake.batch import COMPRESSION, COMPRESSION_LEVEL
from marquee.ingest.work_folder import work_folder
from marquee.stores.lake.arrow import arrow, compute, parquet
from marquee.stores.lake.contract import Lake, LakeFile, NewFile
from marquee.stores.lake.errors import LakeFileRetired, LakeFileUnreadable
from marquee.stores.lake.event_columns import joined_schema, with_columns
from marquee.stores.lake.paths import new_path

ROW_GROUP_ROWS: Final = 128 * 1024
WORK: Final = "lake"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_OF_HOST: Final = (
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.ECONNRESET, errno.EHOSTDOWN, errno.ENODEV),
)
"""The host or its mount fails, and no file is damaged: the same call works later."""

Keep = Callable[[Any], Any]
Answer = TypeVar("Answer")


async def rewrite(lake: Lake, state: Path, files: Sequence[LakeFile], keep: Keep | None = None) -> NewFile | None:
    """Replace files of one hour by one file, with the rows that `keep` (a function of a table) leaves.

    Returns the new file; None: no row is left. Raises `LakeFileRetired` if another change was first, and `LakeFileUnreadable`:
    nothing has changed.
    """
    first = files[0]
    async with work_folder(state, WORK) as folder:
        copies = [await local_copy(lake, file, folder / f"{number}.parquet") for number, file in enumerate(files)]
        target = folder / "new.parquet"
        rows = await _in_thread(files, _merged, copies, target, keep)
        listed = sum(file.rows for file in files)
        if keep is None and rows != listed:
            raise LakeFileUnreadable(
                f"The list says that files of {first.hour} have {listed} rows, and they have {rows}."
            )
        new = None
        if rows:
            new = NewFile(new_path(first.dataset, first.hour), first.dataset, first.hour, rows, target.stat().st_size)
            await lake.files.put_file(new.path, target)
    try:
        await lake.rewrite([file.path for file in files], [new] if new else [])
    except LakeFileRetired:
        if new:
            await lake.files.delete([new.path])
        raise
    return new


async def local_copy(lake: Lake, file: LakeFile, target: Path) -> Path:
    """A path of this machine with the file's bytes: its own in a folder, a copy from a bucket."""
    if file.uri.startswith("/"):
        return Path(file.uri)
    await lake.files.get_file(file.path, target)
    return target


async def has_any(lake: Lake, state: Path, file: LakeFile, profile_ids: frozenset[str]) -> bool:
    """Whether a file has a row of one of these profiles.

    Raises `LakeFileUnreadable` for a damaged file, `StoreUnavailable` where the host cannot read now, and as the lake does.
    """
    async with work_folder(state, WORK) as folder:
        return await _in_thread([file], _has_any, await local_copy(lake, file, folder / "file.parquet"), profile_ids)


async def _in_thread(files: Sequence[LakeFile], call: Callable[..., Answer], *arguments: object) -> Answer:
    try:
        return await asyncio.to_thread(call, *arguments)
    except FileNotFoundError as error:
        raise ObjectMissing(f"The file {error.filename!r} is not in the lake any more.") from error
    except (arrow().ArrowException, OSError) as error:
        # Arrow says so of a page that cannot be unpacked, and the host of a file that it cannot read. Not of a full disk.
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        if isinstance(error, OSError) and error.errno in _OF_HOST:
            raise StoreUnavailable(f"The files of the lake cannot be read now: {error}") from error
        raise LakeFileUnreadable(f"A file of {files[0].dataset} of {files[0].hour} is damaged: {error}") from error


def _has_any(path: Path, profile_ids: frozenset[str]) -> bool:
    pa, pc, pq = arrow(), compute(), parquet()
    wanted = pa.array(sorted(profile_ids), pa.string())
    with pq.ParquetFile(path) as file:
        if "profile_id" not in file.schema_arrow.names:
            return False
        return any(
            pc.any(pc.is_in(found.column(0).cast(pa.string()), value_set=wanted)).as_py()
            for found in file.iter_batches(columns=["profile_id"])
        )


def _merged(paths: Sequence[Path], target: Path, keep: Keep | None) -> int:
    pa, pq = arrow(), parquet()
    schema = joined_schema([pq.read_schema(path) for path in paths]).remove_metadata()
    waiting: list[Any] = []
    rows = 0
    with pq.ParquetWriter(target, schema, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL) as writer:

        def write() -> None:
            if waiting:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()

        for path in paths:
            with pq.ParquetFile(path) as file:
                for found in file.iter_batches(batch_size=ROW_GROUP_ROWS):
                    table = with_columns(pa.Table.from_batches([found]), schema)
                    table = keep(table) if keep else table
                    if sum(each.num_rows for each in waiting) + table.num_rows > ROW_GROUP_ROWS:
                        write()
                    if table.num_rows:
                        waiting.append(table)
                        rows += table.num_rows
        write()
    return rows
