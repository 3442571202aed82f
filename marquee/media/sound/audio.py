"""Encodes a title's audio renditions, each once for the whole title, as AAC-LC at 48 kHz.

Reads the source's audio streams; writes one MP4 a rendition: a stereo one for every mix, the same for slow lines, and a 5.1 one
for a mix of six channels or more. `arguments` writes the command, and `mixes` decides which streams form one mix. All mixes are
encoded by one command first, an incomplete one again alone, by way of `uniform_audio`. A track that cannot be decoded never
fails its title: it is left out, and a note says why. Next: `package`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from marquee.documents import AudioBitrates, AudioRole, SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.encode.sample_table import sample_count
from marquee.media.programs import process
from marquee.media.sound.arguments import BITRATES, audio_arguments, decode_arguments, packets
from marquee.media.sound.mixes import AudioMix, plan_mixes, usable_streams, without
from marquee.media.sound.mono import is_production_container
from marquee.media.sound.roles import is_main
from marquee.media.sound.uniform_audio import decode_uniform
from marquee.media.source.clock import Clock, picture_clock
from marquee.notes import Note, NoteStream, note


class EncodedAudio(msgspec.Struct, frozen=True, kw_only=True):
    """One audio rendition as a file, for the packager. `language`: a BCP 47 tag, `und` if unknown; `low`: for slow lines."""

    name: str
    path: Path
    language: str
    label: str
    channels: int
    default: bool
    role: AudioRole = "main"
    original: bool = False
    low: bool = False


class AudioMade(msgspec.Struct, frozen=True, kw_only=True):
    """All audio renditions of a title. `low`: the same mixes for slow lines; while they are made, `renditions` has them too."""

    renditions: list[EncodedAudio]
    notes: list[Note]
    """What was left out or is damaged, without what `source` noted already."""
    cpu_seconds: float
    undecoded: frozenset[int] = frozenset()
    """Streams of which no frame could be decoded."""
    low: list[EncodedAudio] = []


_DECODED = re.compile(r"Input stream #0:(\d+) \(audio\):.*?(\d+) frames decoded; (\d+) decode errors")


def _stream_of(mix: AudioMix) -> NoteStream:
    return NoteStream(kind="audio", index=mix.streams[0], language=mix.language)


def _decoded_frames(stderr: str) -> dict[int, tuple[int, int]]:
    """(frames decoded, errors) by stream, as ffmpeg prints them at its end."""
    return {int(index): (int(good), int(bad)) for index, good, bad in _DECODED.findall(stderr)}


def _damage_notes(mixes: Sequence[AudioMix], stderr: str) -> tuple[list[AudioMix], list[Note]]:
    """(mixes with at least one decoded frame, notes on damage), by the counts that ffmpeg prints at its end."""
    counts = _decoded_frames(stderr)
    kept, notes = [], []
    for mix in mixes:
        good = sum(counts.get(index, (1, 0))[0] for index in mix.streams)
        bad = sum(counts.get(index, (1, 0))[1] for index in mix.streams)
        if not good:
            why = "none of its frames could be decoded"
            notes.append(note("sound-undecodable", _stream_of(mix), track=mix.label, why=why))
            continue
        kept.append(mix)
        if bad:
            notes.append(note("sound-damaged", _stream_of(mix), damaged=bad, frames=good + bad, track=mix.label))
    return kept, notes


class _Encoder(NamedTuple):
    """The parameters that every attempt to encode a title's sound shares."""

    source_path: Path
    folder: Path
    clock: Clock
    duration_seconds: float
    memory_bytes: int | None
    bitrates: AudioBitrates

    async def encode_together(self, mixes: Sequence[AudioMix]) -> AudioMade:
        """Encode all of `mixes` by one command, which decodes each stream once. Raises `ProcessFailed`."""
        return await self._encode(mixes, self.source_path, self.clock, mixes)

    async def encode_uniform(self, mix: AudioMix) -> AudioMade:
        """Encode one mix by way of uniform samples, for sound whose format changes midway. Raises `ProcessFailed`."""
        plain = self.folder / f"{mix.name}.nut"
        channels = 1 if len(mix.streams) > 1 else max(mix.outputs)
        try:
            good = [index for index in mix.streams if index not in mix.silent]
            uniform = await decode_uniform(
                self.source_path,
                good,
                plain,
                channels=channels,
                clock=self.clock,
                timeout_seconds=self._timeout_seconds(1),
                memory_bytes=self.memory_bytes,
            )
            sound, notes = _damage_notes([mix], uniform.stderr_tail)
            if not sound:
                return AudioMade(renditions=[], notes=notes, cpu_seconds=uniform.cpu_seconds)
            places = tuple(good.index(one) if one in good else -1 - one for one in mix.streams)
            plain_mix = msgspec.structs.replace(
                mix, streams=places, silent=tuple(place for place in places if place < 0), placed=()
            )
            encoded = await self._encode([plain_mix], plain, Clock({"copyts": None}, 0.0), [mix])
        finally:
            plain.unlink(missing_ok=True)
        return AudioMade(
            renditions=encoded.renditions,
            notes=notes + encoded.notes,
            cpu_seconds=uniform.cpu_seconds + encoded.cpu_seconds,
        )

    async def undecoded(self, streams: Sequence[int]) -> frozenset[int]:
        """Those of `streams` of which no frame can be decoded. Each is decoded alone, so that none takes another with it."""
        found = set()
        for index in streams:
            try:
                decoded = await process.run(
                    decode_arguments(self.source_path, index, self.clock),
                    timeout_seconds=self._timeout_seconds(1),
                    memory_bytes=self.memory_bytes,
                )
                good, _ = _decoded_frames(decoded.stderr_tail).get(index, (1, 0))
            except ProcessFailed:
                good = 0
            if not good:
                found.add(index)
        return frozenset(found)

    def _timeout_seconds(self, mixes: int) -> float:
        # One slow core decodes and encodes audio at 50 times real time or faster. Ten times slower than that is a fault.
        return 120 + self.duration_seconds * mixes / 5

    async def _encode(
        self, mixes: Sequence[AudioMix], path: Path, clock: Clock, named: Sequence[AudioMix]
    ) -> AudioMade:
        finished = await process.run(
            audio_arguments(
                mixes, path, self.folder, clock=clock, duration_seconds=self.duration_seconds, bitrates=self.bitrates
            ),
            timeout_seconds=self._timeout_seconds(len(mixes)),
            memory_bytes=self.memory_bytes,
        )
        kept, notes = _damage_notes(named, finished.stderr_tail)
        renditions = [
            EncodedAudio(
                name=rendition.name,
                path=self.folder / f"{rendition.name}.mp4",
                language=mix.language,
                label=mix.label,
                channels=rendition.channels,
                low=rendition.low,
                default=mix.default,
                role=mix.role,
                original=mix.original,
            )
            for mix in kept
            for rendition in mix.renditions
        ]
        counts = _decoded_frames(finished.stderr_tail)
        undecoded = frozenset(index for mix in mixes for index in mix.streams if counts.get(index, (1, 0))[0] == 0)
        return AudioMade(renditions=renditions, notes=notes, cpu_seconds=finished.cpu_seconds, undecoded=undecoded)

    def is_whole(self, one: EncodedAudio) -> bool:
        """Whether the file has exactly the packets that cover the picture."""
        return sample_count(one.path) == packets(self.duration_seconds)


async def encode_audio(
    source: SourceDocument,
    source_path: Path,
    folder: Path,
    *,
    duration_seconds: float,
    default_language: str = "",
    bitrates: AudioBitrates = BITRATES,
    memory_bytes: int | None = None,
) -> AudioMade:
    """Encode every audio rendition of a title into `folder`, each exactly as long as the picture.

    `duration_seconds` is the picture's (`plan.duration_seconds`). A track that cannot be encoded is left out, with a note. A
    source without audio gives no renditions. Raises only `ProcessLost`: ffmpeg was killed from outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    usable, notes = usable_streams(
        source.audio, picture_starts=source.video.start_seconds, picture_seconds=duration_seconds
    )
    production = is_production_container(source.container, source.brand)
    mixes, guessed = plan_mixes(usable, production=production, default_language=default_language)
    notes += guessed
    if not mixes:
        return AudioMade(renditions=[], notes=_new_notes(source, notes, []), cpu_seconds=0.0)
    clock = await picture_clock(source, source_path, memory_bytes=memory_bytes)
    notes += [note("clock-guessed")] if clock.guessed else []
    encoder = _Encoder(source_path, folder, clock, duration_seconds, memory_bytes, bitrates)
    renditions, more, cpu_seconds = await _encode_with_retry(encoder, mixes)
    if renditions and not any(one.default for one in renditions):
        first = next((one.label for one in renditions if is_main(one.role)), renditions[0].label)
        renditions = [msgspec.structs.replace(one, default=one.label == first) for one in renditions]
    return AudioMade(
        renditions=[one for one in renditions if not one.low],
        low=[one for one in renditions if one.low],
        notes=_new_notes(source, notes + more, renditions),
        cpu_seconds=cpu_seconds,
    )


def _new_notes(source: SourceDocument, notes: Sequence[Note], renditions: Sequence[EncodedAudio]) -> list[Note]:
    """The notes that `source` did not give already, and one more if the title has become silent here."""
    found = [one for one in notes if one not in source.notes]
    if source.audio and not renditions and not any(one.code == "silent" for one in source.notes):
        tracks = "its only audio track" if len(source.audio) == 1 else f"none of its {len(source.audio)} audio tracks"
        found.append(note("silent", why=f"{tracks} {'cannot' if len(source.audio) == 1 else 'can'} be used"))
    return found


async def _encode_with_retry(
    encoder: _Encoder, mixes: Sequence[AudioMix]
) -> tuple[list[EncodedAudio], list[Note], float]:
    """(renditions, notes, CPU seconds) of all mixes that can be encoded, in the order of `mixes`.

    First all mixes by one command. Then each mix that is incomplete again, alone and by way of uniform samples: one bad track
    makes a common command fail, but must not cost the other tracks.
    """
    together = AudioMade(renditions=[], notes=[], cpu_seconds=0.0)
    incomplete: set[str] = set()
    try:
        together = await encoder.encode_together(mixes)
        incomplete = {one.name for one in together.renditions if not encoder.is_whole(one)}
    except ProcessFailed:
        incomplete = {rendition.name for mix in mixes for rendition in mix.renditions}
    renditions: list[EncodedAudio] = []
    notes: list[Note] = []
    cpu_seconds = together.cpu_seconds
    for mix in mixes:
        # Compared by name: the stereo and the surround mix of a studio's mono tracks have the same label.
        names = {rendition.name for rendition in mix.renditions}
        half_bad = len(mix.streams) > 1 and not together.undecoded.isdisjoint(mix.streams)
        if not names & incomplete and not half_bad:
            renditions += [one for one in together.renditions if one.name in names]
            notes += [one for one in together.notes if one.stream == _stream_of(mix)]
            continue
        whole, left_out = await _without_undecoded(encoder, mix)
        notes += left_out
        if whole is None:
            continue
        try:
            alone = await encoder.encode_uniform(whole)
        except ProcessFailed as failure:
            notes.append(_cannot_be_decoded(mix, failure))
            continue
        cpu_seconds += alone.cpu_seconds
        if all(encoder.is_whole(one) for one in alone.renditions):
            renditions += alone.renditions
            notes += alone.notes
            if alone.renditions and not left_out:
                notes.append(note("sound-format-changes", _stream_of(mix), track=mix.label))
        else:
            notes.append(note("sound-out-of-step", _stream_of(mix), track=mix.label))
    return renditions, notes, cpu_seconds


async def _without_undecoded(encoder: _Encoder, mix: AudioMix) -> tuple[AudioMix | None, list[Note]]:
    """The mix without those of its joined streams that cannot be decoded, and a note on each of them."""
    if len(mix.streams) == 1:
        return mix, []
    undecoded = await encoder.undecoded(mix.streams)
    why = "none of its frames could be decoded"
    notes = [
        note(
            "sound-undecodable",
            NoteStream(kind="audio", index=index, language=mix.language),
            track=str(index),
            why=why,
        )
        for index in sorted(undecoded)
    ]
    return without(mix, undecoded) if undecoded else mix, notes


def _cannot_be_decoded(mix: AudioMix, failure: ProcessFailed) -> Note:
    words = failure.detail.strip().splitlines()
    why = words[-1] if words else "no reason given"
    return note("sound-undecodable", _stream_of(mix), track=mix.label, why=why)
