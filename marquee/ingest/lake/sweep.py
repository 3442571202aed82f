"""Files that nobody needs go: those past their age, those that were replaced, and those that a kill left.

A file is retired first and deleted `retired_seconds` later, because readers may have it open. A file that no list names is
deleted when it is older than `UNLISTED_SECONDS`: its commit is then long over. Only names that the lake gives are touched. If
most of the lake is in no list, the list is not this lake's, and nothing is deleted.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from marquee.ingest.lake import figures
from marquee.logs import get_logger
from marquee.stores.lake.contract import Lake

UNLISTED_SECONDS: Final = 24 * 3600.0
BATCH: Final = 500
MAX_SWEPT_SHARE: Final = 0.5
FEW: Final = 50
"""So many files may be swept whatever their share is: kills of a young lake leave them."""
_OURS: Final = re.compile(r"[a-z_]+/date=\d{4}-\d\d-\d\d/(hour=\d\d/)?(\.?\d{13}-[0-9a-f]{16}\.parquet(\.part)?)")

log = get_logger()


async def retire_old(lake: Lake, *, days: int) -> int:
    """Retire the files whose hour is more than `days` ago; 0 keeps them for ever. Returns how many."""
    if not days:
        return 0
    retired = await lake.retire_older(datetime.now(UTC) - timedelta(days=days))
    if retired:
        log.info("old hours retired", files=retired, days=days)
    return retired


async def delete_retired(lake: Lake, *, retired_seconds: float) -> int:
    """Delete files that were retired long enough ago, then take them off the list. Returns how many."""
    deleted = 0
    while paths := await lake.retired_files(older_than_seconds=retired_seconds, limit=BATCH):
        await lake.files.delete(paths)
        await lake.forget(paths)
        deleted += len(paths)
    if deleted:
        figures.DELETED.labels("retired").inc(deleted)
        log.info("retired files deleted", files=deleted)
    return deleted


async def sweep_unlisted(lake: Lake, *, older_than_seconds: float = UNLISTED_SECONDS) -> int:
    """Delete files that no list names. Returns how many."""
    moment_ms = (time.time() - older_than_seconds) * 1000
    seen = 0
    old: list[str] = []
    unlisted: list[str] = []
    async for file in lake.files.list():
        seen += 1
        if file.modified_at_ms < moment_ms and _OURS.fullmatch(file.path):
            old.append(file.path)
        if len(old) >= BATCH:
            unlisted += await lake.unlisted(old)
            old.clear()
    unlisted += await lake.unlisted(old) if old else []
    if len(unlisted) > max(FEW, MAX_SWEPT_SHARE * seen):
        log.error(
            "most files of the lake are in no list, so none is deleted: is MARQUEE_DATABASE_URL the database of this lake?",
            files=seen,
            unlisted=len(unlisted),
        )
        return 0
    for first in range(0, len(unlisted), BATCH):
        await lake.files.delete(unlisted[first : first + BATCH])
    if unlisted:
        figures.DELETED.labels("unlisted").inc(len(unlisted))
        log.info("files without a list deleted", files=len(unlisted))
    return len(unlisted)
