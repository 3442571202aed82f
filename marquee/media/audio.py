"""Encodes a title's audio, once for the whole title, as AAC-LC at 48 kHz.

Reads the source's audio streams; writes one MP4 a rendition: a stereo one for every mix, and a 5.1 one where the mix has
six channels or more. Time 0 is the title's first picture: what sounds earlier is cut, what starts later or ends sooner
is filled with silence, gaps are filled where they are, and slow drift is taken out. Which streams make one mix is
decided in `mixes`. A track that cannot be decoded never fails its title: it is left out, with a sentence. Next: `package`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import ffmpeg
import msgspec

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed
from marquee.media import binaries, process
from marquee.media.clock import Clock, picture_clock
from marquee.media.mixes import AudioMix, plan_mixes
from marquee.media.probe import untrusted_input

SAMPLE_RATE: Final = 48_000
FRAME_SAMPLES: Final = 1024
"""Samples in an AAC-LC packet; ffmpeg's encoder also delays its output by this many."""
BITRATES_BPS: Final = {2: 128_000, 6: 384_000}
"""AAC-LC by number of channels: 64 kbit/s each, in the range that Apple's authoring specification gives for stereo."""
LAYOUTS: Final = {2: "stereo", 6: "5.1"}


class EncodedAudio(msgspec.Struct, frozen=True, kw_only=True):
    """One audio rendition as a file, ready for the packager. `language` is a BCP 47 tag, `und` where unknown."""

    name: str
    path: Path
    language: str
    label: str
    channels: int
    default: bool


class AudioMade(msgspec.Struct, frozen=True, kw_only=True):
    renditions: list[EncodedAudio]
    notes: list[str]
    """One sentence for each track that was left out or came out damaged."""
    cpu_seconds: float


def packets(duration_seconds: float) -> int:
    """AAC packets that cover the picture: the last one starts before the picture ends, so that no stray segment arises."""
    return max(2, -(-round(duration_seconds * SAMPLE_RATE) // FRAME_SAMPLES))


def _aligned(stream: Any, start_seconds: float) -> Any:
    """A source stream on the picture's clock, at 48 kHz.

    Jumps over 40 ms (a frame) are filled or cut; below that, the rate is bent by at most 100 samples a second (0.2 %, a
    28th of a semitone), which takes out the drift of a free-running recorder.
    """
    return stream.filter("asetpts", f"PTS-({start_seconds:.9f})/TB").filter(
        "aresample", SAMPLE_RATE, **{"async": 100}, min_hard_comp=0.04, first_pts=0
    )


def _mix_down(stream: Any, channels: int) -> Any:
    """To the rendition's layout by ITU-R BS.775 coefficients; peaks over full scale are caught instead of clipped."""
    shaped = stream.filter("aformat", sample_fmts="fltp", channel_layouts=LAYOUTS[channels])
    return shaped.filter("alimiter", limit=0.98, level=0, latency=1) if channels == 2 else shaped


def _cut(stream: Any, count: int) -> Any:
    """Exactly `count` packets' worth, less the encoder's own delay.

    The encoder puts one packet (21 ms) of delay before the sound. Without an edit list, which players treat in three
    different ways, that packet is simply shown at time 0: so the first 1024 samples are left out here, and everything
    after them sounds exactly when it should in every player. The price is the film's first 21 ms.
    """
    end = count * FRAME_SAMPLES
    return (
        stream.filter("apad").filter("atrim", start_sample=FRAME_SAMPLES, end_sample=end).filter("asetpts", "N/SR/TB")
    )


def audio_arguments(
    mixes: Sequence[AudioMix], source_path: Path, folder: Path, *, clock: Clock, duration_seconds: float
) -> list[str]:
    """The one command that decodes every wanted stream once and writes all renditions of `mixes`."""
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    count = packets(duration_seconds)
    outputs = []
    for mix in mixes:
        aligned = [_aligned(opened[str(index)], clock.start_seconds) for index in mix.streams]
        whole = aligned[0]
        if len(aligned) > 1:
            mono = [one.filter("aformat", channel_layouts="mono").filter("apad") for one in aligned]
            whole = ffmpeg.filter(mono, "join", inputs=len(mono), channel_layout=LAYOUTS[len(mono)])
        shares = whole.filter_multi_output("asplit", len(mix.outputs)) if len(mix.outputs) > 1 else [whole]
        for share, channels in enumerate(mix.outputs):
            one = shares[share] if len(mix.outputs) > 1 else whole
            outputs.append(
                ffmpeg.output(
                    _cut(_mix_down(one, channels), count),
                    str(folder / f"{mix.rendition(channels)}.mp4"),
                    **{"c:a": "aac", "b:a": BITRATES_BPS[channels], "ar": SAMPLE_RATE, "ac": channels},
                    use_editlist=0,
                    format="mp4",
                )
            )
    written: list[str] = ffmpeg.merge_outputs(*outputs).compile(cmd=str(binaries.ffmpeg()))
    return [
        written[0],
        *("-hide_banner", "-nostdin", "-y", "-v", "verbose"),  # verbose: the counts of decoded and damaged frames
        *("-max_error_rate", "1"),  # damaged packets are silence, not a failure
        *written[1:],
    ]


_DECODED = re.compile(r"Input stream #0:(\d+) \(audio\):.*?(\d+) frames decoded; (\d+) decode errors")


def _damage_notes(mixes: Sequence[AudioMix], stderr: str) -> tuple[list[AudioMix], list[str]]:
    """(mixes with any sound in them, sentences), read from ffmpeg's own closing counts."""
    counts = {int(index): (int(good), int(bad)) for index, good, bad in _DECODED.findall(stderr)}
    kept, notes = [], []
    for mix in mixes:
        good = sum(counts.get(index, (1, 0))[0] for index in mix.streams)
        bad = sum(counts.get(index, (1, 0))[1] for index in mix.streams)
        if not good:
            notes.append(f"The audio track {mix.label} is left out: not one of its frames could be decoded.")
            continue
        kept.append(mix)
        if bad:
            notes.append(f"{bad} of {good + bad} audio frames of the track {mix.label} are damaged and silent.")
    return kept, notes


async def _encode(
    mixes: Sequence[AudioMix],
    source_path: Path,
    folder: Path,
    clock: Clock,
    duration_seconds: float,
    memory_bytes: int | None,
) -> tuple[list[AudioMix], list[str], float]:
    finished = await process.run(
        audio_arguments(mixes, source_path, folder, clock=clock, duration_seconds=duration_seconds),
        # Decoding and encoding audio runs at 50x or more on one slow core; a source that needs longer is not sound.
        timeout_seconds=120 + duration_seconds * len(mixes) / 5,
        memory_bytes=memory_bytes,
    )
    kept, notes = _damage_notes(mixes, finished.stderr_tail)
    return kept, notes, finished.cpu_seconds


async def encode_audio(
    source: SourceDocument,
    source_path: Path,
    folder: Path,
    *,
    duration_seconds: float,
    memory_bytes: int | None = None,
) -> AudioMade:
    """Encode every audio rendition of a title into `folder`, each exactly as long as the picture.

    `duration_seconds` is the picture's (`plan.duration_seconds`). Never raises for the audio's sake: a track that cannot
    be encoded is left out with a sentence. No audio: no renditions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mixes, notes = plan_mixes(source.audio)
    late = {one.index for one in source.audio if one.start_seconds - source.video.start_seconds >= duration_seconds}
    notes += [
        f"The audio track {m.label} is left out: it starts after the picture ends."
        for m in mixes
        if late & {*m.streams}
    ]
    mixes = [mix for mix in mixes if not late & {*mix.streams}]
    if not mixes:
        return AudioMade(renditions=[], notes=notes, cpu_seconds=0.0)
    clock = await picture_clock(source, source_path, memory_bytes=memory_bytes)
    kept: list[AudioMix] = []
    cpu_seconds = 0.0
    try:
        kept, more, cpu_seconds = await _encode(mixes, source_path, folder, clock, duration_seconds, memory_bytes)
        notes += more
    except ProcessFailed as failure:
        if len(mixes) == 1:
            notes.append(_failed(mixes[0], failure))
        for mix in mixes if len(mixes) > 1 else ():
            # One track spoils a common command: each alone, so that only the bad one is lost.
            try:
                one, more, spent = await _encode([mix], source_path, folder, clock, duration_seconds, memory_bytes)
                kept, notes, cpu_seconds = kept + one, notes + more, cpu_seconds + spent
            except ProcessFailed as alone:
                notes.append(_failed(mix, alone))
    renditions = [
        EncodedAudio(
            name=mix.rendition(channels),
            path=folder / f"{mix.rendition(channels)}.mp4",
            language=mix.language,
            label=mix.label,
            channels=channels,
            default=mix.default,
        )
        for mix in kept
        for channels in mix.outputs
    ]
    if renditions and not any(one.default for one in renditions):
        first = kept[0].label
        renditions = [msgspec.structs.replace(one, default=one.label == first) for one in renditions]
    return AudioMade(renditions=renditions, notes=notes, cpu_seconds=cpu_seconds)


def _failed(mix: AudioMix, failure: ProcessFailed) -> str:
    words = failure.detail.strip().splitlines()
    return f"The audio track {mix.label} is left out: it cannot be decoded ({words[-1][:200] if words else 'no reason given'})."
