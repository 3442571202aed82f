"""Proves, for frames of a title's grid, that a seek in the master shows the same pictures as its linear decode.

Finds the decoded pictures behind the grid's frames in `SourceDocument.frames` and asks `seeking.proven_margin`. A master without
them (not seekable, or judged by an earlier release) is never sought. `transcode` and `quality` use it.
"""

from fractions import Fraction
from pathlib import Path
from typing import Final

from marquee.documents import EncodingSettings, SourceDocument
from marquee.media.source.seeking import Proof, Window, proven_margin

_NEIGHBOURS: Final = 2
"""The deinterlacer looks at the picture before and after. Frames and grid are rounded by up to half a frame."""


async def prove_seek(
    source: SourceDocument,
    path: Path,
    settings: EncodingSettings,
    start_frame: int,
    frames: int,
    *,
    threads: int = 1,
    memory_bytes: int | None = None,
) -> Proof | None:
    """The start from which `frames` of the grid from `start_frame` on can be decoded; None: the film's start alone holds."""
    known = source.frames
    if known is None or not source.seekable or start_frame == 0:
        return None
    begin, end = _seconds(source, settings, start_frame, frames)
    before = _NEIGHBOURS if source.video.interlaced else 0
    first = max(0, known.shown_at(begin - _half_frame(settings)) - before)
    last = min(len(known.times) - 1, known.shown_at(end) + before)
    return await proven_margin(
        path,
        source.video.index,
        known,
        Window(float(begin), first, last),
        threads=threads,
        memory_bytes=memory_bytes,
    )


def has_complaints(source: SourceDocument, settings: EncodingSettings, start_frame: int, frames: int) -> bool:
    """Whether the linear decode printed errors at these frames of the grid, or near them."""
    return source.frames is not None and source.frames.has_complaints(*_seconds(source, settings, start_frame, frames))


def _seconds(
    source: SourceDocument, settings: EncodingSettings, start_frame: int, frames: int
) -> tuple[Fraction, Fraction]:
    """When these frames begin and end, on the container's clock."""
    rate, begins = Fraction(settings.frame_rate), Fraction(source.video.start_seconds)
    return begins + start_frame / rate, begins + (start_frame + frames) / rate


def _half_frame(settings: EncodingSettings) -> Fraction:
    return 1 / (2 * Fraction(settings.frame_rate))
