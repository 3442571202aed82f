"""The notes of the stage `plan`: what the renditions leave out of the picture, and what is guessed of it. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from marquee.documents import Rung, VideoStream
from marquee.media.encode.colours import believed
from marquee.media.encode.filters import output_matrix
from marquee.notes import Note, NoteStream, note

_MIN_REDUCTION: Final = 0.97
"""A rendition with more of the source's width and height counts as the source's size: the ladder's steps are rounded."""
_TRANSFERS: Final = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
_MATRICES: Final = {"bt709": "BT.709", "smpte170m": "BT.601", "bt470bg": "BT.601"}


def plan_notes(video: VideoStream, rungs: Sequence[Rung], rate: Fraction) -> list[Note]:
    """What is said of a picture that is encoded as `rungs` (the largest last) at `rate` frames per second."""
    where = NoteStream(kind="video", index=video.index)
    found = []
    if rate < video.rate:
        found.append(note("frame-rate-reduced", where, rate=float(video.rate), kept=float(rate)))
    top = rungs[-1]
    if min(top.width / video.display_width, top.height / video.display_height) < _MIN_REDUCTION:
        size = f"{video.display_width}x{video.display_height}"
        found.append(note("picture-reduced", where, size=size, kept=f"{top.width}x{top.height}"))
    if video.interlaced:
        found.append(note("fields-merged", where))
    if video.hdr:
        transfer = video.color_transfer or ""
        found.append(note("hdr-converted", where, transfer=_TRANSFERS.get(transfer, transfer)))
    colours = believed(video)
    if colours.guesses:
        wide = "BT.2020" if colours.primaries == "bt2020" else None
        guess = wide or _MATRICES[output_matrix(video)]
        found.append(note("colours-guessed", where, why=", ".join(colours.guesses), guess=guess))
    return found
