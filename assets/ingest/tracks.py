"""Packaged tracks as files on this host, for the stages that measure and picture what viewers are sent.

A CMAF track is its init segment followed by its segments. Fetched from the published bucket and written one after the other,
they are a file that ffmpeg reads.
"""

from pathlib import Path
from typing import Final

from assets.ingest.publishing import fetch_files
from assets.ingest.stage import Stage
from marquee.documents import PackagedStream, StreamsDocument

_COPY_BYTES: Final = 1 << 20


def by_height(packaged: StreamsDocument) -> list[PackagedStream]:
    """The video tracks, from the fewest lines to the most."""
    return sorted(packaged.video, key=lambda track: track.height or 0)


async def fetch_track(stage: Stage, packaged: StreamsDocument, track: PackagedStream, folder: Path) -> Path:
    """Fetch a packaged track from the published bucket, as one file in `folder`."""
    names = [track.init_segment, *track.segments]
    parts = {packaged.prefix + name: folder / f"{track.name}.part{index:06d}" for index, name in enumerate(names)}
    await fetch_files(stage.stores.published, parts)
    out = folder / f"{track.name}.mp4"
    with out.open("wb") as whole:
        for path in parts.values():
            with path.open("rb") as part:
                while block := part.read(_COPY_BYTES):
                    whole.write(block)
            path.unlink()
    return out
