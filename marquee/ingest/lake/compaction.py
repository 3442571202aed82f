"""Compaction: the small files of an hour that has been quiet become one file.

A sink writes a file every few seconds, a reader opens each. An hour is quiet when no file of it is younger than
`quiet_seconds`; a late event makes it young again. Files that are large already stay.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from marquee.errors import ObjectMissing
from marquee.ingest.lake import figures
from marquee.ingest.lake.rewriting import rewrite
from marquee.logs import get_logger
from marquee.stores.lake.contract import EVENTS, Lake, LakeFile
from marquee.stores.lake.errors import LakeFileRetired, LakeFileUnreadable

LARGE_BYTES: Final = 128 * 1024**2
"""A file of this size is not merged any more, and no merged file becomes much larger."""

log = get_logger()


async def compact(lake: Lake, state: Path, *, quiet_seconds: float) -> int:
    """Merge what can be merged. Returns how many files were replaced."""
    replaced = 0
    quiet_since = datetime.now(UTC) - timedelta(seconds=quiet_seconds)
    for files in mergeable(await lake.live_files(EVENTS), quiet_since):
        try:
            new = await rewrite(lake, state, files)
        except (LakeFileRetired, ObjectMissing):
            continue  # an erasure or the retention was first: the next round sees what is live then
        except LakeFileUnreadable as error:
            log.error("hour not compacted", hour=files[0].hour.isoformat(), reason=error.detail)
            continue
        replaced += len(files)
        figures.COMPACTED.inc(len(files))
        log.info("hour compacted", hour=files[0].hour.isoformat(), files=len(files), rows=new.rows if new else 0)
    return replaced


def mergeable(live: Sequence[LakeFile], quiet_since: datetime) -> Iterator[list[LakeFile]]:
    """Groups of at least two small files of one quiet hour, each group together about one large file."""
    by_hour: dict[datetime, list[LakeFile]] = defaultdict(list)
    for file in live:
        by_hour[file.hour].append(file)
    for hour in sorted(by_hour):
        if any(file.created_at > quiet_since for file in by_hour[hour]):
            continue
        group: list[LakeFile] = []
        for file in sorted(by_hour[hour], key=lambda each: (each.size_bytes, each.path)):
            if file.size_bytes >= LARGE_BYTES:
                break
            if group and sum(each.size_bytes for each in group) + file.size_bytes > LARGE_BYTES:
                if len(group) > 1:
                    yield group
                group = []
            group.append(file)
        if len(group) > 1:
            yield group
