"""Lays the sprite sheets out as a stream of pictures, which other people's players read for scrubbing.

DASH-IF's thumbnail tiles and HLS's image playlists both give each tile one interval of equal length, row by row, on sheets of
one size. `on_grid` gives every interval a tile; `write_thumbnails` copies the sheets below the version's streams, because every
URI of a manifest is relative to it. The public sheets of `sprite.vtt` stay where they are. Next: `manifest` names the stream.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from marquee.documents import Thumbnails, keys
from marquee.media.package.playlists import thumbnail_playlist

if TYPE_CHECKING:
    from marquee.media.pictures.images import ImagesMade

COLUMNS: Final = 10
SHEET_TILES: Final = COLUMNS * 10
"""Ten by ten tiles. One sheet has about 300 kB and covers at least three minutes of film."""
_SLACK_SECONDS: Final = 0.05
"""A key frame may stand this much before its interval: GOPs of 2.002 s are taken for 2 s."""


def sheet_grid(tiles: int) -> tuple[int, int]:
    """(columns, rows) of every sheet of a film with this many tiles. A single sheet is as small as it can be."""
    if tiles > SHEET_TILES:
        return COLUMNS, SHEET_TILES // COLUMNS
    columns = min(COLUMNS, max(1, tiles))
    return columns, max(1, -(-tiles // columns))


def on_grid(times: Sequence[float], every_seconds: float, duration_seconds: float) -> list[int]:
    """For each interval of `every_seconds`, the index of the frame that is shown in it.

    `times` are the frames' seconds, at most one an interval. An interval without a frame of its own, which films below 2 frames a
    second have, shows the frame before.
    """
    count = max(1, math.ceil(duration_seconds / every_seconds - 1e-6))
    owners = {math.floor((seconds + _SLACK_SECONDS) / every_seconds): index for index, seconds in enumerate(times)}
    shown: list[int] = []
    for interval in range(count):
        shown.append(owners.get(interval, shown[-1] if shown else 0))
    return shown


def write_thumbnails(made: "ImagesMade", folder: Path, *, duration_seconds: float) -> Thumbnails:
    """Copy the sheets below `folder`, which mirrors the version's prefix, and write their playlist beside them."""
    columns, rows = sheet_grid(made.tiles)
    below = folder / keys.THUMBNAILS_FOLDER
    below.mkdir(parents=True, exist_ok=True)
    sheet_seconds = columns * rows * made.tile_seconds
    sheets, sizes, seconds = [], [], []
    for number, path in enumerate(made.sprites, start=1):
        name = keys.thumbnail_sheet(number)
        shutil.copyfile(path, folder / name)
        sheets.append(name)
        sizes.append(path.stat().st_size)
        seconds.append(min(sheet_seconds, duration_seconds - (number - 1) * sheet_seconds))
    found = Thumbnails(
        playlist=f"{keys.THUMBNAILS_FOLDER}/{keys.PLAYLIST}",
        sheets=sheets,
        sheet_bytes=sizes,
        sheet_seconds=seconds,
        columns=columns,
        rows=rows,
        tile_width=made.tile_width,
        tile_height=made.tile_height,
        tile_seconds=made.tile_seconds,
    )
    (folder / found.playlist).write_text(thumbnail_playlist(found))
    return found
