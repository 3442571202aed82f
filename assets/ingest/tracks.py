"""Packaged tracks as files on this host, for the stages that measure and picture what viewers are sent.

A CMAF track is its init segment followed by its segments. Fetched from the published bucket and written one after the other,
they are a file that ffmpeg reads.
"""

from pathlib import Path
from typing import Final

import msgspec

from assets.ingest.publishing import fetch_files
from assets.ingest.stage import Stage
from marquee.documents import PackagedStream, QualityDocument, StreamsDocument, video_by_codec

_COPY_BYTES: Final = 1 << 20


def by_height(packaged: StreamsDocument) -> list[PackagedStream]:
    """The H.264 tracks, from the fewest lines to the most."""
    return video_by_codec(packaged.video)[0]


def top_tracks(packaged: StreamsDocument) -> list[PackagedStream]:
    """The largest track of each codec, H.264 first."""
    return [tracks[-1] for tracks in video_by_codec(packaged.video)]


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


async def offered_streams(stage: Stage) -> StreamsDocument:
    """The packaged tracks that viewers are offered: without optional codecs whose picture `quality` found wrong."""
    packaged = await stage.read("streams", StreamsDocument)
    if (
        len(video_by_codec(packaged.video)) < 2
    ):  # also every version of an earlier release, whose scores may be elsewhere
        return packaged
    left_out = (await stage.read("quality", QualityDocument)).left_out
    if not left_out:
        return packaged
    return msgspec.structs.replace(packaged, video=[one for one in packaged.video if one.codec not in left_out])
