"""Reads the text tracks inside a film as bytes, and decodes them here: ffmpeg would drop each line that is not UTF-8.

One ffmpeg command reads the source once. It copies each track's packets as they are stored into `{index}.bin`, and their
times and sizes into `{index}.txt` (format `framecrc`); ASS and WebVTT keep their headers and settings, so those are copied
into files of their own format. No packet is decoded by ffmpeg. `subtitles` names and writes the tracks that this module
returns.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.documents import SubtitleStream
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.clock import Clock
from marquee.media.source.probe import untrusted_arguments
from marquee.media.text import captions, cue_text, encodings, sampled_text, tx3g
from marquee.media.text.cues import PLACES, Cue, NotSubtitles, Parsed
from marquee.media.text.packets import packet_times
from marquee.media.text.sampled_text import EmbeddedText, Packet

MAX_TRACK_BYTES: Final = 5 * 1024**2
"""A day of dense captions has 3 MB. The bound keeps a hostile file from filling the disk or the memory when it is unpacked."""
MAX_UNTIMED_SECONDS: Final = 5.0
"""How long a cue without an end is shown, unless the next one comes earlier."""
_WHOLE_FILES: Final = {"ass": "ass", "ssa": "ass", "webvtt": "webvtt"}
"""ffmpeg's muxer by codec, for tracks whose packets alone do not say everything."""
_PACKETS: Final = frozenset({"subrip", "srt", "text", "mov_text", "ttml", "wvtt"})
READ_CODECS: Final = frozenset(_WHOLE_FILES) | _PACKETS


def extraction_arguments(source_path: Path, streams: Sequence[SubtitleStream], folder: Path, clock: Clock) -> list[str]:
    """One ffmpeg command that reads the source once and copies each text stream to files in `folder`, on the clock `clock`."""
    arguments = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y"]
    arguments += [f"-{name}" for name in clock.options]
    arguments += untrusted_arguments(source_path)
    for stream in streams:
        copied = [
            "-map",
            f"0:{stream.index}",
            "-c",
            "copy",
            "-avoid_negative_ts",
            "disabled",
            "-fs",
            str(MAX_TRACK_BYTES + 1),
        ]
        muxer = _WHOLE_FILES.get(stream.codec)
        if muxer is None:
            arguments += [*copied, "-f", "data", str(folder / f"{stream.index}.bin")]
            arguments += [*copied, "-f", "framecrc", str(folder / f"{stream.index}.txt")]
        else:
            arguments += [*copied, "-f", muxer, str(folder / f"{stream.index}.bin")]
    return arguments


async def _extract(
    source_path: Path, streams: Sequence[SubtitleStream], folder: Path, clock: Clock, memory_bytes: int | None
) -> None:
    await process.run(
        extraction_arguments(source_path, streams, folder, clock),
        # The whole file is read, at 20 MB/s or more. Computing takes hardly any time.
        timeout_seconds=120 + source_path.stat().st_size / 20e6,
        memory_bytes=memory_bytes,
    )


async def copy_tracks(
    source_path: Path, streams: Sequence[SubtitleStream], folder: Path, clock: Clock, *, memory_bytes: int | None = None
) -> None:
    """Copy the bytes of `streams` into `folder`. A track that cannot be read is missing there."""
    try:
        await _extract(source_path, streams, folder, clock, memory_bytes)
    except ProcessFailed:
        for one in streams:  # one bad track makes the common command fail: read alone, only the bad one is lost
            try:
                await _extract(source_path, [one], folder, clock, memory_bytes)
            except ProcessFailed:
                (folder / f"{one.index}.bin").unlink(missing_ok=True)


def read_track(stream: SubtitleStream, folder: Path, language: str) -> EmbeddedText:
    """The cues of a track that `copy_tracks` copied. Raises `NotSubtitles`, `EncodingUnknown`."""
    path = folder / f"{stream.index}.bin"
    if not path.is_file():
        raise NotSubtitles("cannot be read")
    content = read_bounded(path)
    if stream.codec in _WHOLE_FILES:
        decoded = encodings.decode(content, language=language)
        return EmbeddedText(captions.parse_file(decoded.text), decoded, 0)
    packets = _packets(folder / f"{stream.index}.txt", content)
    if stream.codec in {"ttml", "wvtt"}:
        return sampled_text.read(stream.codec, packets, language)
    if stream.codec == "mov_text":
        return _timed_text(packets, language)
    return _subrip(packets, language)


def read_bounded(path: Path) -> bytes:
    """A subtitle file's bytes. Raises `NotSubtitles` past `MAX_TRACK_BYTES`."""
    if path.stat().st_size > MAX_TRACK_BYTES:
        raise NotSubtitles(f"is larger than {MAX_TRACK_BYTES // 1024**2} MiB")
    return path.read_bytes()


def _packets(times: Path, content: bytes) -> list[Packet]:
    """The packets of a track: the lines of `framecrc` say where each begins and ends in the copied bytes."""
    at = 0
    packets: list[Packet] = []
    for start, seconds, size in packet_times(times):
        packets.append(Packet(start, seconds, content[at : at + size]))
        at += size
    return packets


def _ends(packets: Sequence[Packet]) -> tuple[list[float], int]:
    """The end of each packet, and how many had none in the container: such a cue stays until the next one."""
    ends, repaired = [], 0
    for packet, following in zip(packets, [*packets[1:], None], strict=True):
        if packet.seconds > 0:
            ends.append(packet.start_seconds + packet.seconds)
            continue
        longest = packet.start_seconds + MAX_UNTIMED_SECONDS
        ends.append(min(longest, following.start_seconds) if following is not None else longest)
        repaired += 1
    return ends, repaired


def _subrip(packets: Sequence[Packet], language: str) -> EmbeddedText:
    decoded = encodings.decode(b"\n\n".join(packet.content for packet in packets), language=language)
    ends, repaired = _ends(packets)
    cues: list[Cue] = []
    for packet, end in zip(packets, ends, strict=True):
        words = (
            encodings.decode(packet.content, stated=decoded.encoding, tolerant=True)
            .text.replace("\r\n", "\n")
            .replace("\r", "\n")
        )
        written = cue_text.tagged(cue_text.without_scripts(words))
        if written and end > packet.start_seconds:
            cues.append(Cue(packet.start_seconds, end, written, PLACES.get(cue_text.alignment(words), "")))
    return EmbeddedText(captions.checked(Parsed(cues=cues)), decoded, repaired)


def _timed_text(packets: Sequence[Packet], language: str) -> EmbeddedText:
    """3GPP timed text: UTF-8, or UTF-16 where a sample has its mark. An empty sample ends the cue before it."""
    split = [tx3g.split(packet.content) for packet in packets]
    marked = [text.startswith((b"\xfe\xff", b"\xff\xfe")) for text, _ in split]
    decoded = encodings.decode(
        b"\n\n".join(text for (text, _), wide in zip(split, marked, strict=True) if not wide), language=language
    )
    ends, repaired = _ends(packets)
    cues: list[Cue] = []
    for packet, end, (content, runs), wide in zip(packets, ends, split, marked, strict=True):
        name = "utf-16" if wide else decoded.encoding
        text = encodings.decode(content, stated=name, tolerant=True).text
        written = tx3g.cue_text(text, runs)
        if written and end > packet.start_seconds:
            cues.append(Cue(packet.start_seconds, end, written))
    return EmbeddedText(captions.checked(Parsed(cues=cues)), decoded, repaired)
