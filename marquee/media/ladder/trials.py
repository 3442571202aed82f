"""Encodes stretches of a title on trial, in several sizes and qualities, and scores them by VMAF at one common size.

One ffmpeg command decodes the stretches, through the same filters as the encode, and makes everything of them: the uncompressed
reference and every trial. `trial_scores` scores the trials. Trials have x264's fast preset
`PRESET`; `model` says what that tells about the profile's. Bits are counted frame by frame, because a stretch has more key frames
than a film: the rate is that of a GOP with one key frame.

A start midway is proven as for a chunk (`encode.seek_proof`), for all stretches before the first trial: where one fails, the
caller takes few stretches of one decode. Reads the source file; keeps files in a folder of the caller.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

import ffmpeg

from marquee.documents import AnalysedSample, EncodingSettings
from marquee.errors import ProcessFailed
from marquee.media.encode.filter_text import apply, chunk_chain
from marquee.media.encode.sample_table import sample_sizes
from marquee.media.encode.seek_proof import prove_seek
from marquee.media.encode.transcode import source_picture
from marquee.media.ladder.trial_scores import Title, Trial, score_trials
from marquee.media.programs import binaries, process
from marquee.media.source.seeking import Proof

PRESET: Final = "veryfast"
"""Of the trials, not the profile's: half the cost of `medium`, and like it in what decides (macroblock tree, lookahead)."""
_TIMEOUT_BASE_SECONDS: Final = 300.0
_TIMEOUT_PER_FRAME_SECONDS: Final = 1.0
_TIMEOUT_PER_DECODED_FRAME_SECONDS: Final = 0.5


class Measured(NamedTuple):
    """What one trial gave on all stretches: bytes of key frames and of the others, and the VMAF of every scored frame."""

    trial: Trial
    key_bytes: list[int]
    other_bytes: list[int]
    vmaf: list[float]
    vmaf_neg: list[float]


async def proven_starts(title: Title, taken: Sequence[AnalysedSample]) -> list[Proof | None] | None:
    """From where each stretch is decoded (None for one at the film's start); None if a seek of one of them does not hold.

    Each such stretch would be decoded from the film's start: an hour-long film twelve times.
    """
    found: list[Proof | None] = []
    for one in taken:
        proof = await prove_seek(
            title.source,
            title.path,
            title.settings,
            one.start_frame,
            one.frames,
            memory_bytes=title.memory_bytes,
        )
        if proof is None and one.start_frame > 0:
            return None
        found.append(proof)
    return found


async def measure(
    title: Title,
    taken: Sequence[AnalysedSample],
    trials: Sequence[Trial],
    folder: Path,
    *,
    preset: str = PRESET,
    neg_crf: int | None = None,
    starts: Sequence[Proof | None] | None = None,
) -> tuple[list[Measured], float]:
    """Encode and score `trials` on the stretches `taken`: one decode from each proven start (`starts`), else one for all of them.

    `neg_crf`: VMAF NEG too, of the trials with this CRF. Returns one result a trial, in the same order, and the CPU seconds.
    Raises `ProcessFailed` if frames are missing.
    """
    parts: list[list[Measured]] = []
    cpu_seconds = 0.0
    groups = [list(taken)] if starts is None else [[one] for one in taken]
    for group, proof in zip(groups, starts or [None], strict=True):
        encoded = await _encode(title, group, trials, folder, preset, proof)
        scored = await score_trials(title, group, trials, folder, neg_crf)
        cpu_seconds += encoded + scored.cpu_seconds
        lengths = [one.frames for one in group]
        parts.append(
            [
                Measured(trial, *_split(sample_sizes(folder / f"{number}.mp4"), lengths), *scored.values[number])
                for number, trial in enumerate(trials)
            ]
        )
    return [_joined(same) for same in zip(*parts, strict=True)], cpu_seconds


def _joined(parts: Sequence[Measured]) -> Measured:
    return Measured(
        parts[0].trial,
        [size for part in parts for size in part.key_bytes],
        [size for part in parts for size in part.other_bytes],
        [value for part in parts for value in part.vmaf],
        [value for part in parts for value in part.vmaf_neg],
    )


def bitrate_bps(found: Measured, settings: EncodingSettings) -> float:
    """The mean rate of a film like the stretches, with one key frame a GOP."""
    rate, gop = float(Fraction(settings.frame_rate)), settings.gop_frames
    key = sum(found.key_bytes) / len(found.key_bytes)
    other = sum(found.other_bytes) / len(found.other_bytes) if found.other_bytes else key
    return 8 * rate * (key + (gop - 1) * other) / gop


async def _encode(
    title: Title,
    group: Sequence[AnalysedSample],
    trials: Sequence[Trial],
    folder: Path,
    preset: str,
    proof: Proof | None,
) -> float:
    """Write the reference and every trial of these stretches to `folder`. Returns CPU seconds, those of the proof included."""
    frames = sum(one.frames for one in group)
    before = 0 if proof else group[-1].start_frame
    finished = await process.run(
        encode_arguments(title, group, trials, folder, preset, margin_seconds=proof.margin_seconds if proof else None),
        timeout_seconds=_TIMEOUT_BASE_SECONDS
        + _TIMEOUT_PER_FRAME_SECONDS * frames * len(trials)
        + _TIMEOUT_PER_DECODED_FRAME_SECONDS * before,
        memory_bytes=title.memory_bytes,
    )
    return finished.cpu_seconds + (proof.cpu_seconds if proof else 0.0)


def encode_arguments(
    title: Title,
    group: Sequence[AnalysedSample],
    trials: Sequence[Trial],
    folder: Path,
    preset: str,
    *,
    margin_seconds: float | None,
) -> list[str]:
    """The command that writes `reference.nut`, `0.mp4`, `1.mp4`... to `folder`."""
    rate = Fraction(title.settings.frame_rate)
    first, end = group[0].start_frame, group[-1].start_frame + group[-1].frames
    picture = source_picture(title.source, title.path, first / rate, margin_seconds=margin_seconds, threads=1)
    picture = apply(picture, chunk_chain(title.settings.filters, first, end - first))
    if len(group) > 1:
        kept = "+".join(
            f"between(n,{one.start_frame - first},{one.start_frame - first + one.frames - 1})" for one in group
        )
        picture = picture.filter("select", kept).filter("setpts", expr="N")
    split = picture.filter_multi_output("split")
    outputs = [ffmpeg.output(split[0], str(folder / "reference.nut"), **_REFERENCE)]
    starts = [0, *accumulate(one.frames for one in group[:-1])]
    for (number, trial), stream in zip(enumerate(trials), _sized(split[1], trials), strict=True):
        options = _trial_options(trial, title.settings, preset, starts)
        outputs.append(ffmpeg.output(stream, str(folder / f"{number}.mp4"), **options))
    argv: list[str] = (
        ffmpeg.merge_outputs(*outputs)
        .global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-filter_complex_threads", "1")
        .overwrite_output()
        .compile(cmd=str(binaries.picture_ffmpeg()))
    )
    return argv


_REFERENCE: Final[dict[str, Any]] = {"c:v": "rawvideo", "f": "nut", "fps_mode": "passthrough"}


def _sized(picture: Any, trials: Sequence[Trial]) -> list[Any]:
    """One stream a trial, in order. Each size is scaled from the next larger one, as in the encode."""
    sizes = sorted({(one.width, one.height) for one in trials}, key=lambda size: size[0] * size[1], reverse=True)
    streams: dict[tuple[int, int], list[Any]] = {}
    for width, height in sizes:
        picture = picture.filter("scale", w=width, h=height).filter("setsar", sar="1")
        used = sum((one.width, one.height) == (width, height) for one in trials)
        outputs = used + ((width, height) != sizes[-1])
        shares = picture.filter_multi_output("split", outputs) if outputs > 1 else [picture]
        streams[width, height] = [shares[number] for number in range(used)]
        if outputs > used:
            picture = shares[used]
    return [streams[one.width, one.height].pop(0) for one in trials]


def _trial_options(
    trial: Trial, settings: EncodingSettings, preset: str, starts: Sequence[int]
) -> dict[str, str | int]:
    """Encoder and muxer options of one trial: those of a rung, without its maximum rate."""
    rate = Fraction(settings.frame_rate)
    return {
        "c:v": "libx264",
        "preset": preset,
        "profile:v": "high",
        "crf": trial.crf,
        "g": settings.gop_frames,
        "keyint_min": settings.gop_frames,
        "sc_threshold": 0,
        "flags:v": "+cgop",
        "x264-params": "open-gop=0:force-cfr=1",
        "force_key_frames": ",".join(f"{float(start / rate):.6f}" for start in starts),
        "a53cc": 0,
        "threads:v": 1,
        "fps_mode": "passthrough",
        "enc_time_base": f"{rate.denominator}:{rate.numerator}",
        "map_metadata": -1,
        "format": "mp4",
    }


def _split(sizes: Sequence[int], lengths: Sequence[int]) -> tuple[list[int], list[int]]:
    """The bytes of the stretches' first frames, which are key frames, and of all others."""
    if len(sizes) != sum(lengths):
        raise ProcessFailed(f"A trial has {len(sizes)} frames instead of {sum(lengths)}.")
    starts = {0, *accumulate(lengths[:-1])}
    return (
        [size for number, size in enumerate(sizes) if number in starts],
        [size for number, size in enumerate(sizes) if number not in starts],
    )
