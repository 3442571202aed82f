"""What is measured and pictured from the packaged streams themselves, so that it speaks of what viewers are sent.

A CMAF track is its init segment followed by its segments: fetched from the published bucket and laid end to end, it is a file
that ffmpeg reads. Every rung's VMAF is scored on a sample of at most a tenth of its segments, at the source's size; the
poster is cut from the top rung, the sprites from the smallest.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assets.ingest.publishing import fetch_files
from assets.ingest.stage import Stage
from marquee.documents import PackagedStream, PlanDocument, QualityScore, SourceDocument, StreamsDocument
from marquee.media.encode.quality import scores

if TYPE_CHECKING:
    from marquee.media.pictures.images import ImagesMade

MAX_SAMPLE_SHARE: Final = 0.1
_COPY_BYTES: Final = 1 << 20


def by_height(packaged: StreamsDocument) -> list[PackagedStream]:
    """The video tracks from the fewest lines to the most."""
    return sorted(packaged.video, key=lambda track: track.height or 0)


async def score_rungs(
    stage: Stage, source: SourceDocument, plan: PlanDocument, renditions: Sequence[tuple[PackagedStream, Path]]
) -> list[QualityScore]:
    """VMAF of every rung on the same sample; in the order given."""
    rungs = {rung.name: rung for rung in plan.settings.rungs}
    async with stage.hold_source(source) as source_path:
        pairs = [(rungs[track.name], path) for track, path in renditions]
        return await scores(
            source,
            source_path,
            plan,
            pairs,
            max_share=MAX_SAMPLE_SHARE,
            memory_bytes=stage.settings.process_memory_bytes,
        )


async def make_pictures(
    renditions: Sequence[tuple[PackagedStream, Path]], folder: Path, *, duration_seconds: float
) -> "ImagesMade":
    """Poster (from the top rung) and sprites (from the smallest) below `folder`."""
    # Imported here: it brings numpy, which takes longer to import than all stages together.
    from marquee.media.pictures.images import make_images

    top, rendition = renditions[-1]
    assert top.width is not None
    assert top.height is not None
    return await make_images(
        rendition,
        folder,
        duration_seconds=duration_seconds,
        width=top.width,
        height=top.height,
        preview_path=renditions[0][1],
    )


async def fetch_track(stage: Stage, packaged: StreamsDocument, track: PackagedStream, folder: Path) -> Path:
    """A packaged track as one file in `folder`, from the published bucket."""
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
