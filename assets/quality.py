"""What is measured and pictured from the packaged streams themselves, so that it speaks of what viewers are sent.

A CMAF track is its init segment followed by its segments: fetched from the published bucket and laid end to end, it is a file
that ffmpeg reads. The top rung's VMAF is scored on a sample of at most a tenth of its segments, at the source's size; the
poster is cut from the top rung, the sprites from the smallest.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from assets.publishing import fetch_files
from assets.stage import Stage
from marquee.documents import PackagedStream, PlanDocument, QualityScore, SourceDocument, StreamsDocument
from marquee.media.quality import score

if TYPE_CHECKING:
    from marquee.media.images import ImagesMade

MAX_SHARE: Final = 0.1
_COPY_BYTES: Final = 1 << 20


def top_and_smallest(packaged: StreamsDocument) -> tuple[PackagedStream, PackagedStream]:
    """The video tracks with the most and the fewest lines; the same one where there is only one."""
    by_lines = sorted(packaged.video, key=lambda track: track.height or 0)
    return by_lines[-1], by_lines[0]


async def score_top_rung(
    stage: Stage, source: SourceDocument, plan: PlanDocument, top: PackagedStream, rendition: Path
) -> QualityScore:
    """VMAF of the top rung."""
    rung = next(rung for rung in plan.settings.rungs if rung.name == top.name)
    async with stage.hold_source(source) as source_path:
        return await score(source, source_path, plan, rung, rendition, max_share=MAX_SHARE)


async def make_pictures(
    top: PackagedStream, rendition: Path, preview: Path, folder: Path, *, duration_seconds: float
) -> "ImagesMade":
    """Poster and sprites below `folder`."""
    # Imported here: it brings numpy, which takes longer to import than all stages together.
    from marquee.media.images import make_images

    assert top.width is not None
    assert top.height is not None
    return await make_images(
        rendition,
        folder,
        duration_seconds=duration_seconds,
        width=top.width,
        height=top.height,
        preview_path=preview,
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
