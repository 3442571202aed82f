"""Decides how long a picture that stands still is shown: one picture with sound, a cover, slides.

A picture stands still if the file has at most five frames, or if a frame usually lasts a second or longer. The file often
stores no length for its last picture (0.04 s is usual). So the last picture is held until the sound ends: a title is as long
as its longest credible track. Without sound it is held until the end that the container states.
The end of the sound is measured by its packets. A container's claim that no track reaches is no damage, but a sound track that
ends before 95 % of its own claim is cut off. Reads and changes a `Scan`; `source_streams` writes the result into the document.
"""

import copy
from array import array
from fractions import Fraction
from typing import Final

from marquee.errors import SourceRefused
from marquee.media.source.avi_index import is_wholly_indexed
from marquee.media.source.claims import MIN_STILL_BPS, Candidate
from marquee.media.source.cut_off import why_cut_off
from marquee.media.source.picture_damage import picture_damage
from marquee.media.source.scan import MAX_FEW_FRAMES, Scan
from marquee.media.source.sound_times import sound_times
from marquee.notes import Note, NoteStream, note

MIN_SLIDE_SECONDS: Final = 1.0
"""A film whose frames usually last this long is a series of slides."""
MAX_MISSING_SHARE: Final = 0.05
_MIN_MISSING_SECONDS: Final = 1.0
_MAX_LOST_FRAMES: Final = 1
_MIN_HELD_SECONDS: Final = 0.1
"""Shorter differences between picture and sound are an encoder's rounding."""
_ESTIMATING_CONTAINERS: Final = ("mp3", "aac")
"""Their length may be estimated from the bitrate of the first frames. It proves no loss."""


def stands_still(scanned: Scan) -> bool:
    """Whether few pictures are shown for long. A film of which most frames are lost is not still, but damaged."""
    if not scanned.frames or scanned.packets > scanned.frames + _MAX_LOST_FRAMES or picture_damage(scanned).frames:
        return False
    return scanned.frames <= MAX_FEW_FRAMES or scanned.step * scanned.time_base >= MIN_SLIDE_SECONDS


async def hold_still_picture(candidate: Candidate, scanned: Scan) -> tuple[Scan, list[Note]]:
    """The scan with its last picture held as long as it is to be shown, and a note on that. Other films are returned unchanged.

    Raises `SourceRefused` if the sound of a still picture is cut off.
    """
    if scanned.clock != "container" or (scanned.is_unordered and scanned.frames > 1):
        return scanned, []
    if not stands_still(scanned):
        return _with_empty_end(candidate, scanned), []
    held = copy.copy(scanned)
    begins = _begins(candidate, scanned)
    if scanned.frames == 1:
        held.single = True
        held.times = array("q", [round(begins / scanned.time_base)])
    sound = await _sound_end(candidate)
    end = sound if sound is not None else _claimed_end(candidate, scanned)
    if end is not None:
        held.held_seconds = max(Fraction(0), Fraction(end).limit_denominator(1_000_000) - held.last_end_seconds)
    picture = candidate.picture
    where = NoteStream(kind="video", index=picture.index)
    if picture.attached_picture:
        return held, [note("cover-shown", where, index=picture.index, seconds=float(held.duration_seconds))]
    if held.held_seconds < _MIN_HELD_SECONDS:
        held.held_seconds = Fraction(0)
        return held, []
    until = "the file" if sound is None else "the sound"
    return held, [note("picture-held", where, seconds=float(held.held_seconds), until=until)]


def _with_empty_end(candidate: Candidate, scanned: Scan) -> Scan:
    """The scan of a film whose last chunks are empty, as an AVI's may be: its last picture is held to the film's end."""
    end = candidate.picture.end_seconds
    if end is None or picture_damage(scanned).frames or not scanned.frames:
        return scanned
    missing = Fraction(end).limit_denominator(1_000_000) - scanned.last_end_seconds
    if missing * 2 < scanned.step * scanned.time_base or why_cut_off(candidate.path):
        return scanned
    if not is_wholly_indexed(candidate.path):
        return scanned
    held = copy.copy(scanned)
    held.held_seconds = missing
    return held


def _begins(candidate: Candidate, scanned: Scan) -> Fraction:
    """When the title begins, on the container's clock: a single picture is shown from the sound's first sample on."""
    starts = [one.start_seconds for one in candidate.probed.of_kind("audio") if one.start_seconds is not None]
    if scanned.times and not candidate.picture.attached_picture:
        starts.append(scanned.first_seconds)
    return Fraction(min(starts, default=0.0)).limit_denominator(1_000_000)


async def _sound_end(candidate: Candidate) -> float | None:
    """When the last sound ends, on the container's clock, in seconds; None without sound."""
    tracks = candidate.probed.of_kind("audio")
    if not tracks:
        return None
    measured = (
        await sound_times(candidate.path, candidate.probed.of_kind("audio"), memory_bytes=candidate.limits.memory_bytes)
    ).end_seconds
    if measured <= 0:
        return None
    own = [one.end_seconds for one in tracks if one.end_seconds]
    claimed = max(own) if own else candidate.probed.duration_seconds
    if claimed is None or candidate.probed.container in _ESTIMATING_CONTAINERS:
        return measured
    begins = candidate.probed.start_seconds
    credible = candidate.size_bytes * 8 >= MIN_STILL_BPS * claimed
    if credible and claimed - measured > max(_MIN_MISSING_SECONDS, MAX_MISSING_SHARE * (claimed - begins)):
        raise SourceRefused(
            f"The film is cut off: it should last {claimed - begins:.1f} seconds, and its sound ends after "
            f"{measured - begins:.1f}. Copy it again."
        )
    # The last packet is padded to its full length. The track's claim leaves the padding out.
    return claimed if own and abs(measured - claimed) < _MIN_HELD_SECONDS else measured


def _claimed_end(candidate: Candidate, scanned: Scan) -> float | None:
    """When a file without sound says that it ends, on the container's clock; None if it is cut off or not believed."""
    if scanned.truncated or why_cut_off(candidate.path):
        return None
    claims = [candidate.picture.end_seconds, candidate.probed.end_seconds]
    believed = [one for one in claims if one is not None and candidate.size_bytes * 8 >= MIN_STILL_BPS * one]
    return max(believed, default=None)
