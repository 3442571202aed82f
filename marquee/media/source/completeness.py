"""Refuses a film that is cut off or too damaged, and notes a smaller loss. Both are judged by time: see `marquee.domain.damage`.

A film is cut off if too much is missing at its end, compared with the length that the file credibly claims. What is wrong up to
the last frame is missing at the end too: the title ends before it. All other wrong pictures are damage.
`judge` calls this with the finished scan. Figures in sentences are never rounded to a limit.
"""

import copy
from typing import Final

from marquee.domain.damage import (
    MAX_RUN_SECONDS,
    MAX_SHARE,
    Damage,
    allowed_seconds,
    is_too_damaged,
    is_too_long_a_run,
    is_too_much,
)
from marquee.domain.figures import beside_limit
from marquee.errors import SourceRefused
from marquee.media.source import source_notes
from marquee.media.source.claims import Candidate
from marquee.media.source.cut_off import why_cut_off
from marquee.media.source.picture_damage import PictureDamage, picture_damage, without_wrong_end
from marquee.media.source.scan import Scan
from marquee.media.source.sound_times import sound_times
from marquee.notes import Note, note

BROADCAST_PREFIX: Final = "mpeg"
"""Prefix of the MPEG transport and program streams. A recording may start in mid-stream, and has no gap in time."""
_MAX_WAIT_FOR_KEY_FRAME_SECONDS: Final = 10.0


async def check_complete(candidate: Candidate, scanned: Scan, first_scan: Scan) -> tuple[Scan, list[Note]]:
    """The scan up to its last good frame, and the notes on what is missing at its end.

    `first_scan` is the scan on the container's own clock. Raises `SourceRefused` for a film that is cut off or too damaged.
    """
    whole, scanned = scanned, without_wrong_end(scanned)
    damage = picture_damage(scanned)
    _check_damage(candidate, scanned, damage)
    notes: list[Note] = []
    if scanned is not whole:
        first_scan = copy.copy(first_scan)
        first_scan.wrong_at_end = scanned.wrong_at_end
    # The container's claim includes the jumps of its own clock, so the longer of the two durations is compared with it.
    decoded = float(max(scanned.duration_seconds, first_scan.duration_seconds))
    declared = candidate.declared_seconds
    if scanned.wrong_at_end or damage.at_end:
        claimed = max(declared or 0.0, float(whole.duration_seconds))
        if claimed - decoded < _frame_seconds(scanned) / 2:
            # The file claims no length, or the length of what is left. The refused packets had pictures.
            claimed += damage.at_end * _frame_seconds(scanned)
        _refuse_if_cut_off(claimed, decoded, decoded, _frame_seconds(scanned))
        notes.append(note("picture-ends-early", seconds=decoded, claimed=claimed))
    elif declared is not None and not scanned.held_seconds:
        notes += await _missing_end(candidate, scanned, first_scan, decoded, declared)
    return scanned, notes


async def _missing_end(
    candidate: Candidate, scanned: Scan, first_scan: Scan, decoded: float, declared: float
) -> list[Note]:
    """Compare the `decoded` seconds with the `declared` ones."""
    if not source_notes.is_shorter_than_claimed(decoded, declared):
        return []
    begins = candidate.picture.start_seconds or 0.0
    if candidate.probed.container.startswith(BROADCAST_PREFIX):
        # Recorded from the middle of a broadcast: frames before the first key frame cannot be decoded.
        begins = min(first_scan.first_seconds, begins + _MAX_WAIT_FOR_KEY_FRAME_SECONDS)
    end = max(decoded, begins - candidate.probed.start_seconds + decoded)
    if not source_notes.is_shorter_than_claimed(end, declared):
        return []
    if await _sound_outlasts_picture(candidate, scanned, declared):
        return []
    _refuse_if_cut_off(declared, end, decoded, _frame_seconds(scanned))
    return [note("picture-ends-early", seconds=decoded, claimed=declared)]


def _refuse_if_cut_off(claimed: float, end: float, decoded: float, frame_seconds: float) -> None:
    missing = claimed - end
    if not is_too_much(missing, claimed, frame_seconds):
        return
    share = 1 - allowed_seconds(claimed, frame_seconds) / claimed
    raise SourceRefused(
        f"The film is cut off: it should last {claimed:.1f} seconds, and only {beside_limit(decoded, claimed, 1)} "
        f"({beside_limit(100 * decoded / claimed, 100 * share)} %) can be decoded. Copy it again."
    )


def _check_damage(candidate: Candidate, scanned: Scan, damage: PictureDamage) -> None:
    seconds, frame = float(scanned.duration_seconds), _frame_seconds(scanned)
    found = damage.measured
    if not is_too_damaged(found, seconds, frame):
        return
    raise SourceRefused(why_cut_off(candidate.path) or _too_damaged(scanned, damage, found, seconds, frame))


def _too_damaged(scanned: Scan, damage: PictureDamage, found: Damage, seconds: float, frame: float) -> str:
    concealed = len(scanned.concealed_at) - scanned.wrong_at_end
    whole = max(scanned.frames, scanned.frames + damage.frames - concealed)
    share = 100 * allowed_seconds(seconds, frame) / seconds
    text = (
        f"The film is too damaged: {damage.frames} of {whole} frames "
        f"({beside_limit(100 * found.wrong_seconds / seconds, share)} % of its time) are broken or missing"
    )
    if is_too_long_a_run(found):
        minutes, rest = divmod(int(found.run_starts_seconds), 60)
        text += (
            f", {beside_limit(found.longest_run_seconds, MAX_RUN_SECONDS, 1)} seconds of them in one run "
            f"from {minutes}:{rest:02} on"
        )
    return f"{text}. Copy it again."


def _frame_seconds(scanned: Scan) -> float:
    return float(scanned.step * scanned.time_base)


async def _sound_outlasts_picture(candidate: Candidate, scanned: Scan, declared: float) -> bool:
    """Whether only sound reaches the claimed end. A container is as long as its longest track: a shorter picture is no damage."""
    if candidate.picture.duration_seconds is not None or scanned.truncated:
        return False
    sound = await sound_times(
        candidate.path, candidate.probed.of_kind("audio"), memory_bytes=candidate.limits.memory_bytes
    )
    return sound.end_seconds - candidate.probed.start_seconds >= (1 - MAX_SHARE) * declared
