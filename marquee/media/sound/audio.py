"""Encodes a title's audio renditions, each once for the whole title, as AAC-LC at 48 kHz.

Reads the source's audio streams; writes one MP4 a rendition: a stereo one for every mix, and a 5.1 one for a mix of six
channels or more. Time 0 is the title's first picture: earlier sound is cut; a late start, gaps and an early end become silence;
slow drift is corrected. `mixes` decides which streams form one mix. All mixes are encoded by one command first. A mix whose
result is incomplete is encoded again alone, by way of `uniform_audio`. A track that cannot be decoded never fails its title: it
is left out, and a sentence says why. Next: `package`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import ffmpeg
import msgspec

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.encode.transcode import sample_count
from marquee.media.programs import binaries, process
from marquee.media.sound.mixes import AudioMix, plan_mixes
from marquee.media.sound.uniform_audio import SAMPLE_RATE, decode_uniform
from marquee.media.source.clock import Clock, picture_clock
from marquee.media.source.probe import untrusted_input

FRAME_SAMPLES: Final = 1024
"""Samples in an AAC-LC packet. ffmpeg's encoder also delays its output by this many."""
BITRATES_BPS: Final = {2: 128_000, 6: 384_000}
"""Bits a second by number of channels: 64 kbit/s each, in the range of Apple's authoring specification for stereo."""
LAYOUTS: Final = {2: "stereo", 6: "5.1"}


class EncodedAudio(msgspec.Struct, frozen=True, kw_only=True):
    """One audio rendition as a file, ready for the packager. `language` is a BCP 47 tag, `und` if unknown."""

    name: str
    path: Path
    language: str
    label: str
    channels: int
    default: bool


class AudioMade(msgspec.Struct, frozen=True, kw_only=True):
    """All audio renditions of a title."""

    renditions: list[EncodedAudio]
    notes: list[str]
    """One sentence for each track that was left out or is damaged."""
    cpu_seconds: float


def packets(duration_seconds: float) -> int:
    """AAC packets that cover the picture. The last one starts before the picture ends: else it might be a segment of its own."""
    return max(2, -(-round(duration_seconds * SAMPLE_RATE) // FRAME_SAMPLES))


def _on_picture_clock(stream: Any, clock: Clock) -> Any:
    """A source stream on the picture's clock, at 48 kHz.

    Jumps over 40 ms (a frame) are filled with silence or cut. Below that, the rate changes by at most 100 samples a second
    (0.2 %, a 28th of a semitone), which corrects the drift of a free-running recorder.
    """
    placed = "N/SR/TB" if clock.counted else f"PTS-({clock.start_seconds:.9f})/TB"
    return stream.filter("asetpts", placed).filter(
        "aresample", SAMPLE_RATE, **{"async": 100}, min_hard_comp=0.04, first_pts=0
    )


def _mix_down(stream: Any, channels: int) -> Any:
    """Mixes to the rendition's layout by ITU-R BS.775 coefficients. In stereo, peaks over full scale are limited, not clipped."""
    shaped = stream.filter("aformat", sample_fmts="fltp", channel_layouts=LAYOUTS[channels])
    return shaped.filter("alimiter", limit=0.98, level=0, latency=1) if channels == 2 else shaped


def _cut_to_packets(stream: Any, count: int) -> Any:
    """Cuts or pads to exactly `count` packets, less the encoder's own delay.

    The encoder puts one packet (21 ms) of delay before the sound. An edit list could hide the delay, but players treat edit lists
    in three different ways. Without one, the delay is played at time 0. So the first 1024 samples are left out here, and
    all later sound is exactly in step in every player. The price is the film's first 21 ms of sound.
    """
    end = count * FRAME_SAMPLES
    return (
        stream.filter("apad").filter("atrim", start_sample=FRAME_SAMPLES, end_sample=end).filter("asetpts", "N/SR/TB")
    )


def audio_arguments(
    mixes: Sequence[AudioMix], source_path: Path, folder: Path, *, clock: Clock, duration_seconds: float
) -> list[str]:
    """The command that decodes every stream of `mixes` once and writes all their renditions into `folder`."""
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    count = packets(duration_seconds)
    outputs = []
    for mix in mixes:
        aligned = [_on_picture_clock(opened[str(index)], clock) for index in mix.streams]
        whole = aligned[0]
        if len(aligned) > 1:
            mono = [one.filter("aformat", channel_layouts="mono").filter("apad") for one in aligned]
            whole = ffmpeg.filter(mono, "join", inputs=len(mono), channel_layout=LAYOUTS[len(mono)])
        shares = whole.filter_multi_output("asplit", len(mix.outputs)) if len(mix.outputs) > 1 else [whole]
        for share, channels in enumerate(mix.outputs):
            one = shares[share] if len(mix.outputs) > 1 else whole
            outputs.append(
                ffmpeg.output(
                    _cut_to_packets(_mix_down(one, channels), count),
                    str(folder / f"{mix.rendition(channels)}.mp4"),
                    **{"c:a": "aac", "b:a": BITRATES_BPS[channels], "ar": SAMPLE_RATE, "ac": channels},
                    use_editlist=0,
                    format="mp4",
                )
            )
    written: list[str] = ffmpeg.merge_outputs(*outputs).compile(cmd=str(binaries.ffmpeg()))
    return [
        written[0],
        *(
            "-hide_banner",
            "-nostdin",
            "-y",
            "-v",
            "verbose",
        ),  # verbose: prints the counts of decoded and damaged frames
        *("-max_error_rate", "1"),  # damaged packets become silence instead of a failure
        *written[1:],
    ]


_DECODED = re.compile(r"Input stream #0:(\d+) \(audio\):.*?(\d+) frames decoded; (\d+) decode errors")


def _damage_notes(mixes: Sequence[AudioMix], stderr: str) -> tuple[list[AudioMix], list[str]]:
    """(mixes with at least one decoded frame, sentences about damage), by the counts that ffmpeg prints at its end."""
    counts = {int(index): (int(good), int(bad)) for index, good, bad in _DECODED.findall(stderr)}
    kept, notes = [], []
    for mix in mixes:
        good = sum(counts.get(index, (1, 0))[0] for index in mix.streams)
        bad = sum(counts.get(index, (1, 0))[1] for index in mix.streams)
        if not good:
            notes.append(f"The audio track {mix.label} is left out: none of its frames could be decoded.")
            continue
        kept.append(mix)
        if bad:
            notes.append(f"{bad} of {good + bad} audio frames of the track {mix.label} are damaged and silent.")
    return kept, notes


class _Encoder(NamedTuple):
    """The parameters that every attempt to encode a title's sound shares."""

    source_path: Path
    folder: Path
    clock: Clock
    duration_seconds: float
    memory_bytes: int | None

    async def encode_together(self, mixes: Sequence[AudioMix]) -> AudioMade:
        """Encode all of `mixes` by one command, which decodes each stream once. Raises `ProcessFailed`."""
        return await self._encode(mixes, self.source_path, self.clock, mixes)

    async def encode_uniform(self, mix: AudioMix) -> AudioMade:
        """Encode one mix by way of uniform samples, for sound whose format changes midway. Raises `ProcessFailed`."""
        plain = self.folder / f"{mix.name}.nut"
        channels = 1 if len(mix.streams) > 1 else max(mix.outputs)
        try:
            uniform = await decode_uniform(
                self.source_path,
                mix.streams,
                plain,
                channels=channels,
                clock=self.clock,
                timeout_seconds=self._timeout_seconds(1),
                memory_bytes=self.memory_bytes,
            )
            sound, notes = _damage_notes([mix], uniform.stderr_tail)
            if not sound:
                return AudioMade(renditions=[], notes=notes, cpu_seconds=uniform.cpu_seconds)
            plain_mix = msgspec.structs.replace(mix, streams=tuple(range(len(mix.streams))))
            encoded = await self._encode([plain_mix], plain, Clock({"copyts": None}, 0.0), [mix])
        finally:
            plain.unlink(missing_ok=True)
        return AudioMade(
            renditions=encoded.renditions,
            notes=notes + encoded.notes,
            cpu_seconds=uniform.cpu_seconds + encoded.cpu_seconds,
        )

    def _timeout_seconds(self, mixes: int) -> float:
        # One slow core decodes and encodes audio at 50 times real time or faster. Ten times slower than that is a fault.
        return 120 + self.duration_seconds * mixes / 5

    async def _encode(
        self, mixes: Sequence[AudioMix], path: Path, clock: Clock, named: Sequence[AudioMix]
    ) -> AudioMade:
        finished = await process.run(
            audio_arguments(mixes, path, self.folder, clock=clock, duration_seconds=self.duration_seconds),
            timeout_seconds=self._timeout_seconds(len(mixes)),
            memory_bytes=self.memory_bytes,
        )
        kept, notes = _damage_notes(named, finished.stderr_tail)
        renditions = [
            EncodedAudio(
                name=mix.rendition(channels),
                path=self.folder / f"{mix.rendition(channels)}.mp4",
                language=mix.language,
                label=mix.label,
                channels=channels,
                default=mix.default,
            )
            for mix in kept
            for channels in mix.outputs
        ]
        return AudioMade(renditions=renditions, notes=notes, cpu_seconds=finished.cpu_seconds)

    def is_whole(self, one: EncodedAudio) -> bool:
        """Whether the file has exactly the packets that cover the picture."""
        return sample_count(one.path) == packets(self.duration_seconds)


async def encode_audio(
    source: SourceDocument,
    source_path: Path,
    folder: Path,
    *,
    duration_seconds: float,
    memory_bytes: int | None = None,
) -> AudioMade:
    """Encode every audio rendition of a title into `folder`, each exactly as long as the picture.

    `duration_seconds` is the picture's (`plan.duration_seconds`). A track that cannot be encoded is left out, with a sentence in
    `notes`. A source without audio gives no renditions. Raises only `ProcessLost`: ffmpeg was killed from outside.
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
    encoder = _Encoder(source_path, folder, clock, duration_seconds, memory_bytes)
    renditions, more, cpu_seconds = await _encode_with_retry(encoder, mixes)
    if renditions and not any(one.default for one in renditions):
        first = renditions[0].label
        renditions = [msgspec.structs.replace(one, default=one.label == first) for one in renditions]
    return AudioMade(renditions=renditions, notes=notes + more, cpu_seconds=cpu_seconds)


async def _encode_with_retry(
    encoder: _Encoder, mixes: Sequence[AudioMix]
) -> tuple[list[EncodedAudio], list[str], float]:
    """(renditions, sentences, CPU seconds) of all mixes that can be encoded, in the order of `mixes`.

    First all mixes by one command. Then each mix that is incomplete again, alone and by way of uniform samples: one bad track
    makes a common command fail, but must not cost the other tracks.
    """
    together = AudioMade(renditions=[], notes=[], cpu_seconds=0.0)
    incomplete: set[str] = set()
    try:
        together = await encoder.encode_together(mixes)
        incomplete = {one.name for one in together.renditions if not encoder.is_whole(one)}
    except ProcessFailed:
        incomplete = {mix.rendition(channels) for mix in mixes for channels in mix.outputs}
    renditions: list[EncodedAudio] = []
    notes, cpu_seconds = [*together.notes], together.cpu_seconds
    for mix in mixes:
        # Compared by name: the stereo and the surround mix of a studio's mono tracks have the same label.
        names = {mix.rendition(channels) for channels in mix.outputs}
        if not names & incomplete:
            renditions += [one for one in together.renditions if one.name in names]
            continue
        try:
            alone = await encoder.encode_uniform(mix)
        except ProcessFailed as failure:
            notes.append(_cannot_be_decoded(mix, failure))
            continue
        cpu_seconds += alone.cpu_seconds
        if all(encoder.is_whole(one) for one in alone.renditions):
            renditions += alone.renditions
            notes += alone.notes
        else:
            notes.append(
                f"The audio track {mix.label} is left out: it is too damaged to be synchronised with the picture."
            )
    return renditions, notes, cpu_seconds


def _cannot_be_decoded(mix: AudioMix, failure: ProcessFailed) -> str:
    words = failure.detail.strip().splitlines()
    return f"The audio track {mix.label} is left out: it cannot be decoded ({words[-1][:200] if words else 'no reason given'})."
