"""The notes of the stage `source`: what of an accepted file is left out, guessed, repaired or damaged.

Reads the probe's streams and the scan. Everything that can be known before the encode is noted here, also what later stages
will leave out, so that a chosen code (`MARQUEE_REFUSE_NOTES`) refuses the film before anything is made of it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, get_args

from marquee.documents import AudioStream, Light, SourceDocument, SubtitleStream
from marquee.media.encode.colours import is_hdr
from marquee.media.sound.mixes import plan_mixes, track_name, usable_streams
from marquee.media.sound.mono import is_production_container
from marquee.media.source import dolby_vision, source_streams
from marquee.media.source.claims import Candidate
from marquee.media.source.cut_off import why_cut_off
from marquee.media.source.frame_kinds import FrameKind, is_credible_aspect
from marquee.media.source.picture_damage import picture_damage
from marquee.media.source.probe import Probe, Stream
from marquee.media.source.scan import Scan
from marquee.media.text.languages import UNKNOWN, language_label, language_tag
from marquee.notes import Note, NoteStream, StreamKind, note

_MIN_MISSING_SECONDS: Final = 0.5
_MIN_MISSING_SHARE: Final = 0.01
_MAX_MISSING_SHARE: Final = 0.05
"""A picture that is shorter than the file's credible claim by half a second and 1 % is noted, and always by 5 %. Up to that,
the tracks of a whole film differ in length."""
_MIN_SOUND_DIFFERENCE_SECONDS: Final = 1.0
_TELETEXT: Final = ("dvb_teletext", "teletext")
_BITMAPS: Final = ("dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle", "xsub")


def stream_of(stream: Stream | AudioStream | SubtitleStream) -> NoteStream:
    """A stream of the film, as a note names it."""
    if isinstance(stream, AudioStream):
        kind = "audio"
    elif isinstance(stream, SubtitleStream):
        kind = "subtitle"
    else:
        kind = stream.kind
    known: StreamKind = kind if kind in get_args(StreamKind) else "other"  # type: ignore[assignment]
    return NoteStream(kind=known, index=stream.index, language=None if stream.language == UNKNOWN else stream.language)


def _subtitle_name(stream: SubtitleStream) -> str:
    return stream.title or language_label(language_tag(stream.language)) or "language unknown"


def picture_notes(candidate: Candidate, scanned: Scan, undecodable: Sequence[Stream]) -> list[Note]:
    """What is said of the picture that is used, and of every other picture stream."""
    picture = candidate.picture
    used = stream_of(picture)
    found = []
    damage = picture_damage(scanned)
    if damage.frames:
        told = damage.measured
        figures = {"seconds": told.wrong_seconds, "longest": told.longest_run_seconds}
        found.append(note("picture-damaged", used, damaged=damage.frames, frames=scanned.frames, **figures))
    if scanned.truncated or why_cut_off(candidate.path):
        found.append(note("file-cut-off"))
    vision = source_streams.dolby_vision_of(picture, scanned)
    if vision is not None:
        base = dolby_vision.base_layer(vision, source_streams.own_colours(scanned)) or "unknown"
        found.append(note("dolby-vision-base", used, profile=vision.name, base=base))
    found += _changes(used, picture, scanned)
    if len(turned := source_streams.turns(scanned)) > 1:
        kept = source_streams.turn(picture, scanned)
        degrees = ", ".join(map(str, sorted(turned)))
        if source_streams.turns_midway(picture, scanned):
            found.append(note("rotation-changes", used, turns=degrees, kept=kept))
        else:
            found.append(note("rotation-not-done", used, turns=degrees, kept=kept))
    found += [
        _other_picture(candidate, one, undecodable)
        for one in candidate.probed.of_kind("video")
        if one.index != picture.index
    ]
    return [*found, *_claims(candidate, scanned)]


_MAX_VALUES_TOLD: Final = 5


def _changes(where: NoteStream, picture: Stream, scanned: Scan) -> list[Note]:
    """What changes midway in the picture, and what the title's frame is."""
    kinds, kept = scanned.pictures.kinds, source_streams.title_frame(scanned)
    sizes, shapes = _values(kind.size for kind in kinds), _values(_shape(kind) for kind in kinds)
    formats = _values(kind.format for kind in kinds)
    ranges, matrices = (_values(kind.colours[place] for kind in kinds) for place in (0, 1))
    gamuts = _values(" ".join(kind.colours[2:]) for kind in kinds)
    found = []
    if len(sizes) > 1:
        found.append(note("picture-size-changes", where, sizes=_told(sizes), kept=kept.size))
    elif len(shapes) > 1:
        found.append(note("pixel-shape-changes", where, shapes=_told(shapes), kept=_shape(kept)))
    lights = source_streams.lights(picture, scanned)
    if len(formats) > 1 and not lights:
        found.append(note("picture-format-changes", where, formats=_told(formats), kept=kept.format))
    if len(ranges) > 1:
        found.append(note("range-changes", where, ranges=_told(ranges), kept=kept.colours[0]))
    if lights:
        found.append(note("light-changes", where, lights=_told(_values(map(_light_name, lights)))))
    elif source_streams.light_changes(scanned):
        found.append(note("light-not-converted", where, kept="HDR" if is_hdr(kept.colours[3]) else "SDR"))
    elif len(matrices) > 1 or len(gamuts) > 1:
        colours = _values(" ".join(dict.fromkeys(kind.colours[1:])) for kind in kinds)
        found.append(
            note("colours-change", where, colours=_told(colours), kept=" ".join(dict.fromkeys(kept.colours[1:])))
        )
    return found


_TRANSFER_NAMES: Final = {"smpte2084": "HDR (PQ)", "arib-std-b67": "HDR (HLG)"}


def _light_name(light: Light) -> str:
    sdr = "SDR" if light.color_primaries == "bt709" else f"SDR in {light.color_primaries}"
    return _TRANSFER_NAMES.get(light.color_transfer, sdr)


def _shape(kind: FrameKind) -> str:
    return f"{kind.pixel_aspect.numerator}:{kind.pixel_aspect.denominator}"


def _values(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def _told(values: Sequence[str]) -> str:
    more = len(values) - _MAX_VALUES_TOLD
    return ", ".join(values[:_MAX_VALUES_TOLD]) + (f" and {more} more" if more > 0 else "")


def _other_picture(candidate: Candidate, other: Stream, undecodable: Sequence[Stream]) -> Note:
    where = stream_of(other)
    if other.attached_picture:
        return note("cover-left-out", where, index=other.index)
    if other.index in {one.index for one in undecodable}:
        return note("picture-undecodable", where, index=other.index, format=other.format)
    return note(
        "picture-left-out",
        where,
        count=sum(not one.attached_picture for one in candidate.probed.of_kind("video")),
        used=candidate.picture.index,
        index=other.index,
        format=other.format,
        size=f"{other.width}x{other.height}",
    )


def _claims(candidate: Candidate, scanned: Scan) -> list[Note]:
    """The claims of the file that are not believed."""
    found = []
    seconds, declared = float(scanned.duration_seconds), candidate.declared_seconds
    claimed = candidate.probed.duration_seconds or candidate.picture.duration_seconds
    if declared is None and claimed is not None and is_shorter_than_claimed(seconds, claimed):
        found.append(note("length-not-believed", claimed=claimed, seconds=seconds))
    aspect = source_streams.title_frame(scanned).claimed_aspect
    if not is_credible_aspect(aspect):
        found.append(note("pixel-shape-not-believed", stream_of(candidate.picture), claimed=str(aspect)))
    rate = source_streams.rate(candidate.picture, scanned)
    if rate.variable and scanned.clock != "counted":
        found.append(note("frame-rate-variable", stream_of(candidate.picture), rate=float(rate.rate)))
    if candidate.picture.rotation_rounded:
        found.append(note("rotation-rounded", stream_of(candidate.picture), degrees=candidate.picture.rotation))
    return found


def is_shorter_than_claimed(seconds: float, declared: float | None) -> bool:
    """Whether a picture of `seconds` ends clearly before the file's credible claim."""
    if declared is None:
        return False
    usual = max(_MIN_MISSING_SECONDS, _MIN_MISSING_SHARE * declared)
    return declared - seconds > min(usual, _MAX_MISSING_SHARE * declared)


def ignored_streams(probed: Probe) -> list[Note]:
    """A note for each stream that is neither picture, sound nor subtitles."""
    found = []
    for one in probed.streams:
        where = stream_of(one)
        if one.kind == "data":
            found.append(note("data-left-out", where, index=one.index, format=one.format))
        elif one.kind == "attachment":
            found.append(note("attachment-left-out", where, name=one.file_name or f"(stream {one.index})"))
        elif one.kind not in {"video", "audio", "subtitle"}:
            found.append(note("stream-unknown", where, index=one.index, format=one.format))
    return found


def later_stages(source: SourceDocument) -> list[Note]:
    """What the stages for sound and subtitles will leave out or change, as far as the streams' descriptions say so."""
    return [*_sound(source), *_subtitles(source), *_languages(source)]


def _sound(source: SourceDocument) -> list[Note]:
    if not source.audio:
        return [note("no-sound")]
    silent = [one for one in source.audio if not one.decodable]
    usable, found = usable_streams(
        source.audio, picture_starts=source.video.start_seconds, picture_seconds=source.duration_seconds
    )
    if len(silent) == len(source.audio):
        formats = list(dict.fromkeys(one.format or one.codec for one in silent))
        why = "the only sound is" if len(silent) == 1 else f"all {len(silent)} audio tracks are"
        found.append(note("silent", why=f"{why} {' and '.join(formats)}, which cannot be decoded"))
    mixes, notes = plan_mixes(usable, production=is_production_container(source.container, source.brand))
    found += notes
    indexes = {index for mix in mixes for index in mix.streams}
    for one in source.audio:
        if one.index in indexes:
            found += _placed(source, one)
    return found


def _placed(source: SourceDocument, one: AudioStream) -> list[Note]:
    """Where a track begins and ends against the picture, as far as the file says."""
    where, track = stream_of(one), track_name(one)
    found = []
    begins = one.start_seconds - source.video.start_seconds
    # A mended or counted clock has other times than the container claims.
    if one.duration_seconds and source.video.clock == "container":
        late = begins + one.duration_seconds - source.duration_seconds
        if late > _MIN_SOUND_DIFFERENCE_SECONDS:
            found.append(note("sound-cut", where, track=track, seconds=late))
        elif -late > _MIN_SOUND_DIFFERENCE_SECONDS:
            found.append(note("sound-ends-early", where, track=track, seconds=-late))
    if one.channels > 2 and one.channels != 6:
        outputs = "stereo and 5.1" if one.channels > 6 else "stereo"
        found.append(note("sound-mixed-down", where, track=track, channels=one.channels, outputs=outputs))
    return found


def _subtitles(source: SourceDocument) -> list[Note]:
    found = []
    for one in source.subtitles:
        told: dict[str, int | str] = {"index": one.index, "track": _subtitle_name(one)}
        if one.text:
            if source.video.clock == "counted":
                found.append(note("subtitles-untimed", stream_of(one), **told))
        elif one.codec in _TELETEXT:
            found.append(note("subtitles-are-teletext", stream_of(one), **told))
        elif one.codec in _BITMAPS:
            found.append(note("subtitles-are-pictures", stream_of(one), format=one.codec, **told))
        else:
            found.append(note("subtitles-unknown", stream_of(one), format=one.codec, **told))
    return found


def _languages(source: SourceDocument) -> list[Note]:
    tracks: list[AudioStream | SubtitleStream] = [*source.audio, *source.subtitles]
    return [
        note("language-unknown", stream_of(one), tag=one.language, index=one.index)
        for one in tracks
        if one.language.strip().lower() not in {"", UNKNOWN} and language_tag(one.language) == UNKNOWN
    ]
