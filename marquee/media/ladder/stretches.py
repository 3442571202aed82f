"""Which frames of a title are encoded on trial: stretches where its content differs, of a length that bounds the cost. Pure.

The master's packets tell where a film is quiet and where it is wild: the title is cut into windows, these are ordered by their
bytes and divided into as many groups as stretches, and each group is represented by its middle window (a stratified sample).
Where all packets are alike, the stretches are spread over time.

The share of the film bounds the cost of an analysis; `trials` says what a second of trial costs. `analyse` encodes them.
"""

from collections.abc import Sequence
from typing import Final

from marquee.documents import AnalysedSample

SHORT_SECONDS: Final = 20.0
SHORT_SHARE: Final = 0.16
"""Of a film of up to `SHORT_SECONDS`: a trial second costs about as much as a second of the ladder."""
LONG_SHARE: Final = 0.03
"""Of every second beyond that: 10 minutes have 19.8 s of trials, and 5 % of the ladder's cpu ..."""
MAX_SECONDS: Final = 24.0
"""... but no more for any film."""
MIN_FRAMES: Final = 20
"""Of a stretch. With fewer, x264 sees too little of what later frames take from earlier ones (macroblock tree)."""
SUBSAMPLE: Final = 5
"""Every fifth frame of a stretch is scored. Lengths are multiples of it, so that each stretch has equal weight in one decode."""
MAX_LINEAR_SECONDS: Final = 45.0
"""A film up to this length is decoded once from its start: cheaper than a proven seek for each stretch."""
MAX_UNSEEKABLE_STRETCHES: Final = 4
"""In a film in which seeks do not hold. All of it up to the last stretch is decoded, once."""
MAX_REFERENCE_BYTES: Final = 1024**3
"""Of the uncompressed stretches of one decode, which are kept on disk while they are encoded and scored."""


def trial_frames(total_frames: int, rate: float) -> int:
    """How many frames of a title are encoded on trial."""
    seconds = total_frames / rate
    taken = SHORT_SHARE * min(seconds, SHORT_SECONDS) + LONG_SHARE * max(0.0, seconds - SHORT_SECONDS)
    return max(MIN_FRAMES, round(min(taken, MAX_SECONDS) * rate))


def stretches(
    packet_bytes: Sequence[int],
    total_frames: int,
    rate: float,
    gop_frames: int,
    *,
    seekable: bool = True,
    frame_bytes: int = 0,
) -> list[AnalysedSample]:
    """The stretches, in the film's order. `packet_bytes` are the picture's packets in their order, possibly none.

    A stretch is at most a GOP long. `frame_bytes` is the size of an uncompressed frame: it bounds how many stretches one decode
    keeps.
    """
    budget = trial_frames(total_frames, rate)
    length = min(total_frames, max(MIN_FRAMES, _whole(min(gop_frames, budget / 4))))
    count = max(1, budget // length)
    if not seekable and total_frames / rate > MAX_LINEAR_SECONDS:
        count = min(count, MAX_UNSEEKABLE_STRETCHES)
    if is_linear(total_frames, rate, seekable=seekable) and frame_bytes:
        count = max(1, min(count, MAX_REFERENCE_BYTES // (frame_bytes * length)))
    windows = max(1, total_frames // length)
    weights = _weights(packet_bytes, windows)
    ordered = sorted(range(windows), key=lambda window: (weights[window], window))
    count = min(count, windows)
    middles = [ordered[windows * (2 * group + 1) // (2 * count)] for group in range(count)]
    return [AnalysedSample(start_frame=window * length, frames=length) for window in sorted(middles)]


def film_ratio(packet_bytes: Sequence[int], total_frames: int, taken: Sequence[AnalysedSample]) -> float:
    """The bytes of the whole film / those of the stretches, for equal time: by so much a rate on the stretches is off (a ratio
    estimator). Bounded by `_MAX_RATIO`, because a master is not always encoded at constant quality; 1 without packets.
    """
    inside = count = 0
    for one in taken:
        places = [edge * len(packet_bytes) // total_frames for edge in (one.start_frame, one.start_frame + one.frames)]
        inside += sum(packet_bytes[places[0] : places[1]])
        count += places[1] - places[0]
    if not inside or not count:
        return 1.0
    ratio = (sum(packet_bytes) / len(packet_bytes)) / (inside / count)
    return min(_MAX_RATIO, max(1 / _MAX_RATIO, ratio))


_MAX_RATIO: Final = 1.5


def is_linear(total_frames: int, rate: float, *, seekable: bool) -> bool:
    """Whether all stretches are taken from one decode of the film from its start."""
    return not seekable or total_frames / rate <= MAX_LINEAR_SECONDS


def _whole(frames: float) -> int:
    return int(frames / SUBSAMPLE) * SUBSAMPLE


def _weights(packet_bytes: Sequence[int], windows: int) -> list[int]:
    """The packets' bytes in each window. Packets are placed by their number: times may be missing or wrong."""
    found = [0] * windows
    for number, size in enumerate(packet_bytes):
        found[number * windows // len(packet_bytes)] += size
    return found
