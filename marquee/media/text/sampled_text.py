"""Text tracks of MP4 whose samples are small documents: TTML (`stpp`) and WebVTT (`wvtt`). `embedded` copies the samples.

Every sample says what is shown in its own time, so a cue may be in several samples: it is cut to each, and joined again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from marquee.media.text import captions, encodings, ttml, wvtt
from marquee.media.text.cues import Cue, NotSubtitles, Parsed, joined


class EmbeddedText(NamedTuple):
    """A track's cues on the container's clock. `repaired`: cues without an end in the container."""

    parsed: Parsed
    decoded: encodings.Decoded
    repaired: int


class Packet(NamedTuple):
    """A sample of a text track. `seconds`: how long it lasts; 0 if the container does not say."""

    start_seconds: float
    seconds: float
    content: bytes


def read(codec: str, packets: Sequence[Packet], language: str) -> EmbeddedText:
    """The cues of a track of the codec `ttml` or `wvtt`. Raises `NotSubtitles`, `EncodingUnknown`."""
    cues: list[Cue] = []
    left_out = damaged = 0
    reason: NotSubtitles | None = None
    decoded = encodings.Decoded(text="", encoding="utf-8")
    for packet, following in zip(packets, [*packets[1:], None], strict=True):
        end = packet.start_seconds + packet.seconds
        if packet.seconds <= 0:
            end = following.start_seconds if following is not None else float("inf")
        if codec == "wvtt":
            cues += wvtt.cues(packet.content, packet.start_seconds, end)
            continue
        if not packet.content.strip():
            continue
        try:
            found = _decoded(packet.content, language, decoded)
            decoded = found if found.guessed or not decoded.guessed else decoded
            document = ttml.parse(found.text)
        except NotSubtitles as error:
            reason, damaged = error, damaged + 1
            continue
        left_out += document.left_out
        cues += _within(document.cues, packet.start_seconds, end)
    if reason is not None and not cues:
        raise reason
    ordered = captions.checked(Parsed(cues=cues, left_out=left_out + damaged))
    return EmbeddedText(Parsed(cues=joined(ordered.cues), left_out=ordered.left_out), decoded, 0)


def _decoded(content: bytes, language: str, before: encodings.Decoded) -> encodings.Decoded:
    """A sample's text. A guess for an earlier sample holds for the track: a guess takes milliseconds, and there are thousands."""
    if before.guessed and b"\x00" not in content and not _is_utf8(content):
        return encodings.decode(content, stated=before.encoding, tolerant=True)
    return encodings.decode(content, language=language)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _within(cues: Sequence[Cue], start: float, end: float) -> list[Cue]:
    """A document's cues, cut to its sample.

    Times count from the track's beginning (ISO/IEC 14496-30). Smooth Streaming's writers count from the sample's: then none of
    the cues would be shown in it, but all begin within its length.
    """
    shown = [Cue(max(start, one.start), min(end, one.end), one.text, one.settings) for one in cues]
    shown = [one for one in shown if one.start < one.end]
    if not shown and cues and all(one.start < end - start for one in cues):
        shown = [Cue(start + one.start, min(end, start + one.end), one.text, one.settings) for one in cues]
    return [one for one in shown if one.start < one.end]
