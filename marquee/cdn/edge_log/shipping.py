"""From the files of the edges' logs to the event log, in batches; memory is bounded by one batch.

A batch is published, then its place is stored, and a file that was read to its end is removed. A kill in between publishes one
batch again with the same event ids, so whoever counts by id counts each request once. While the event log is away nothing is
read; the edge bounds its own files, and what it drops is told here.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from marquee.cdn.addresses import public_address
from marquee.cdn.edge_log.files import (
    Dropped,
    ReadSoFar,
    edge_log_folders,
    has_ended,
    load_dropped,
    load_so_far,
    read_piece,
    save_so_far,
    segments,
)
from marquee.cdn.edge_log.requests import event_of, read_request
from marquee.events import VIEWING_EVENTS
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog

BATCH_LINES: Final = 500

log = get_logger()


async def ship_all(settings: Settings, event_log: EventLog, keeps: Callable[[str], bool]) -> int:
    """Publish what the edges of this host have logged. Returns how many requests were published.

    `keeps`: whether a playback session is sampled. Raises `StoreUnavailable` while the event log is away.
    """
    published = 0
    for folder in edge_log_folders(settings):
        published += await _Shipment(folder, public_address(settings, folder.name), event_log, keeps).ship()
    return published


class _Shipment:
    """One round over one edge's files."""

    def __init__(self, folder: Path, edge: str, event_log: EventLog, keeps: Callable[[str], bool]) -> None:
        self._folder, self._edge, self._event_log, self._keeps = folder, edge, event_log, keeps
        self._so_far = load_so_far(folder)

    async def ship(self) -> int:
        self._tell_of_dropped()
        found = segments(self._folder)
        present = {each.name for each in found}
        offsets = {name: offset for name, offset in self._so_far.offsets.items() if name in present}
        self._save(msgspec.structs.replace(self._so_far, offsets=offsets))
        published = 0
        for segment in found:
            with contextlib.suppress(FileNotFoundError):  # the edge has dropped it meanwhile
                published += await self._ship_segment(segment)
        return published

    async def _ship_segment(self, segment: Path) -> int:
        published = 0
        while True:
            ended = has_ended(segment, now=time.time())
            offset = self._so_far.offsets.get(segment.name, 0)
            piece = read_piece(segment, offset, max_lines=BATCH_LINES, has_ended=ended)
            if piece.end == offset:
                break
            published += await self._publish(segment.name, piece.lines, piece.damaged, piece.end)
        if ended:
            segment.unlink()
            offsets = {name: offset for name, offset in self._so_far.offsets.items() if name != segment.name}
            self._save(msgspec.structs.replace(self._so_far, offsets=offsets))
        return published

    async def _publish(self, name: str, lines: list[bytes], damaged: int, end: int) -> int:
        requests = [read_request(line) for line in lines]
        damaged += requests.count(None)
        events = [event_of(each, edge=self._edge) for each in requests if each and self._keeps(each.session_id)]
        if events:
            records = [(event.session_id or "", msgspec.json.encode(event)) for event in events]
            await self._event_log.publish_many(VIEWING_EVENTS, records)
        if damaged:
            log.warning("lines of an edge's log are damaged", edge=self._edge, file=name, lines=damaged)
        self._save(
            ReadSoFar(
                offsets={**self._so_far.offsets, name: end},
                dropped=self._so_far.dropped,
                damaged_lines=self._so_far.damaged_lines + damaged,
            )
        )
        return len(events)

    def _tell_of_dropped(self) -> None:
        total, told = load_dropped(self._folder), self._so_far.dropped
        if total.bytes > told.bytes:
            lost = Dropped(total.files - told.files, total.bytes - told.bytes)
            log.error(
                "an edge dropped the oldest lines of its log: they had not been published when the disk's bound was reached",
                edge=self._edge,
                files=lost.files,
                bytes=lost.bytes,
                setting="MARQUEE_EDGE_LOG_BYTES",
            )
        self._save(msgspec.structs.replace(self._so_far, dropped=total))

    def _save(self, so_far: ReadSoFar) -> None:
        if so_far != self._so_far:
            save_so_far(self._folder, so_far)
            self._so_far = so_far
