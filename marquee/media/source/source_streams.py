"""Describes an accepted source's streams in the terms of the chain's documents (`VideoStream`, `AudioStream`, `SubtitleStream`).

The picture's size, aspect, format and colours are those that are shown longest, its fields those of the majority of its decoded
frames; its rate follows from their times. The rotation is the container's claim, else the frames'. Sound and text are described
as the container lists them. `judge` puts the result into the `SourceDocument`.
"""

from collections import Counter
from collections.abc import Callable, Container
from typing import Final

from marquee.documents import AudioStream, Light, Stretch, SubtitleStream, Turn, VideoStream
from marquee.domain.ladder import even_within
from marquee.domain.rates import STILL_RATE, FrameRate, frame_rate
from marquee.media.encode.colours import is_hdr, is_wide
from marquee.media.encode.filters import colour_name
from marquee.media.encode.fitting import SCALED_MATRICES
from marquee.media.sound.roles import role_of
from marquee.media.source.dolby_vision import DolbyVision, colours_of_base
from marquee.media.source.frame_kinds import FrameKind, longest
from marquee.media.source.probe import Stream
from marquee.media.source.scan import MAX_FEW_FRAMES, Scan
from marquee.media.text import languages

_TEXT_CODECS: Final = {
    "subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "ttml", "microdvd", "sami", "realtext", "subviewer",
    "eia_608", "c608", "c708", "wvtt",
}  # fmt: skip


MAX_STRETCHES: Final = 1000
"""The longest stretches that are told apart. They become one filter's expression, which may have 128 KiB. A film whose light or
rotation changes more often is shown by what is usual in it."""
_MAX_SECONDS: Final = 1e6


def title_frame(scanned: Scan) -> FrameKind:
    """The title's frame: the size and shape of pixels that are shown longest, with the format and colours shown longest."""
    shown = scanned.pictures.shown(scanned.times, float(scanned.last_end_seconds / scanned.time_base))
    size, aspect = longest(shown, lambda kind: (kind.size, kind.aspect))
    deepest = max(bit_depth(kind.format) for kind in shown) if light_changes(scanned) else 0
    # In 8 bits, HDR has steps that are seen.
    deep = Counter({kind: ticks for kind, ticks in shown.items() if bit_depth(kind.format) >= deepest})
    return FrameKind(size, aspect, longest(deep, lambda kind: kind.format), longest(shown, lambda kind: kind.colours))


def bit_depth(pixel_format: str) -> int:
    """Bits a sample, from ffmpeg's name of a pixel format: yuv420p10le 10, gray12 12, p010 10, else 8."""
    for bits in (9, 10, 12, 14, 16):
        if pixel_format.removesuffix("le").removesuffix("be").endswith((f"p{bits}", f"gray{bits}", f"p0{bits}")):
            return bits
    return 8


def rate(picture: Stream, scanned: Scan) -> FrameRate:
    """The frame rate by the frames' times. The container's rates are only hints for rounding."""
    if scanned.held_seconds and scanned.frames <= MAX_FEW_FRAMES:
        return FrameRate(STILL_RATE, variable=False)
    hints = [one for one in (picture.rate, picture.average_rate) if one is not None]
    return frame_rate(scanned.times, scanned.time_base, hints)


def own_colours(scanned: Scan) -> tuple[str | None, str | None, str | None]:
    """(matrix, primaries, transfer) of the frames that are shown longest; None for each that they do not name."""
    _, matrix, primaries, transfer = title_frame(scanned).colours
    return colour_name(matrix), colour_name(primaries), colour_name(transfer)


def colours(picture: Stream, scanned: Scan) -> tuple[str | None, str | None, str | None]:
    """(matrix, primaries, transfer): `own_colours`, completed by what a Dolby Vision profile prescribes."""
    found = own_colours(scanned)
    vision = dolby_vision_of(picture, scanned)
    return found if vision is None else colours_of_base(vision, found)


def dolby_vision_of(picture: Stream, scanned: Scan) -> DolbyVision | None:
    """The container's record, else the metadata of the decoded pictures."""
    claims = picture.dolby_vision
    return scanned.dolby_vision if claims is None or (claims.profile is None and scanned.dolby_vision) else claims


def video(picture: Stream, scanned: Scan, first_seconds: float) -> VideoStream:
    """The picture. `first_seconds` is the first frame's time on the container's own clock."""
    frame = title_frame(scanned)
    (width, height), aspect = frame.pixels, frame.pixel_aspect
    shown = (even_within(width * aspect), even_within(height))
    rotation = turn(picture, scanned)
    matrix, primaries, transfer = colours(picture, scanned)
    midway = lights(picture, scanned)
    if midway:
        primaries, transfer = _longest_light(picture, scanned)
        matrix = matrix if matrix in SCALED_MATRICES else "bt2020nc"
    fields = scanned.fields
    found_rate = rate(picture, scanned)
    return VideoStream(
        index=picture.index,
        codec=picture.codec,
        width=width,
        height=height,
        display_width=shown[rotation in {90, 270}],
        display_height=shown[rotation not in {90, 270}],
        rotation=rotation,
        mirrored=picture.mirrored,
        sample_aspect_ratio=f"{aspect.numerator}/{aspect.denominator}",
        frame_rate=f"{found_rate.rate.numerator}/{found_rate.rate.denominator}",
        variable_frame_rate=found_rate.variable,
        clock=scanned.clock,
        single_picture=scanned.single,
        held_seconds=float(scanned.held_seconds),
        interlaced=fields["T"] + fields["B"] > 0.05 * scanned.frames,
        top_field_first=fields["T"] >= fields["B"],
        pixel_format=frame.format,
        bit_depth=bit_depth(frame.format),
        captioned=scanned.captioned > 0,
        format_changes=len(scanned.pictures.kinds) > 1,
        stretches=_stretches(scanned),
        lights=midway,
        turns=turns_midway(picture, scanned),
        color_range=colour_name(frame.colours[0]),
        color_space=matrix,
        color_primaries=primaries,
        color_transfer=transfer,
        start_seconds=first_seconds,
        duration_seconds=float(scanned.duration_seconds),
        bitrate_bps=picture.bitrate_bps,
    )


def turns(scanned: Scan) -> Counter[int]:
    """How many key frames say that they must be turned by so many degrees clockwise, in quarters."""
    return Counter(map(_quarters, scanned.turns))


def _quarters(degrees: int) -> int:
    return round(degrees / 90) * 90 % 360


def turn(picture: Stream, scanned: Scan) -> int:
    """The container's rotation. Without one, that of most key frames: H.264 can store it in the stream alone (SEI)."""
    if picture.rotation or picture.mirrored or not scanned.turns:
        return picture.rotation
    return turns(scanned).most_common(1)[0][0]


def turns_midway(picture: Stream, scanned: Scan) -> list[Turn]:
    """The rotations midway; none if it never changes, or if the container states one for the whole film."""
    if picture.rotation or picture.mirrored or len(turns(scanned)) < 2 or len(scanned.times) != scanned.frames:
        return []
    found: list[Turn] = []
    for frame, degrees in zip(scanned.key_frames, scanned.turns, strict=True):
        rotation = _quarters(degrees)
        if not found or found[-1].rotation != rotation:
            found.append(Turn(start_seconds=_border(scanned, frame) if found else 0.0, rotation=rotation))
    return found if len(found) <= MAX_STRETCHES else []


def _border(scanned: Scan, frame: int) -> float:
    """Seconds of the title halfway between `frame` and the one before it: no rounding puts either on the wrong side."""
    last, first = scanned.times[frame - 1], scanned.times[frame]
    return float(((last + first) / 2 - scanned.times[0]) * scanned.time_base) if first > last else 0.0


def _light(colours: tuple[str | None, str | None, str | None]) -> tuple[str, str]:
    """(primaries, transfer) as the conversion tells them apart, by (matrix, primaries, transfer). All usual SDR is BT.709's."""
    _, primaries, transfer = colours
    if transfer is not None and is_hdr(transfer):
        return primaries or "bt2020", transfer
    if primaries is not None and is_wide(primaries):
        return primaries, transfer or "bt709"
    return "bt709", "bt709"


def _light_of_kind(picture: Stream, scanned: Scan) -> Callable[[FrameKind], tuple[str, str]]:
    vision = dolby_vision_of(picture, scanned)

    def light(kind: FrameKind) -> tuple[str, str]:
        _, matrix, primaries, transfer = map(colour_name, kind.colours)
        named = matrix, primaries, transfer
        return _light(named if vision is None else colours_of_base(vision, named))

    return light


def _longest_light(picture: Stream, scanned: Scan) -> tuple[str, str]:
    shown = scanned.pictures.shown(scanned.times, float(scanned.last_end_seconds / scanned.time_base))
    return longest(shown, _light_of_kind(picture, scanned))


def lights(picture: Stream, scanned: Scan) -> list[Light]:
    """The lights midway; none if the light never changes, or if the frames have no times."""
    if len(scanned.pictures.kinds) < 2 or len(scanned.times) != scanned.frames:
        return []
    found: list[Light] = []
    for ticks, kind in scanned.pictures.changes(scanned.times, _light_of_kind(picture, scanned)):
        primaries, transfer = _light_of_kind(picture, scanned)(kind)
        start = float((ticks - scanned.times[0]) * scanned.time_base)
        found.append(Light(start_seconds=max(0.0, start), color_primaries=primaries, color_transfer=transfer))
    return found if 1 < len(found) <= MAX_STRETCHES else []


def light_changes(scanned: Scan) -> bool:
    """Whether frames of HDR and of SDR follow each other."""
    return len({is_hdr(kind.colours[3]) for kind in scanned.pictures.kinds}) > 1


def _stretches(scanned: Scan) -> list[Stretch]:
    """The stretches of the film by the shape of their pixels; none if it never changes, or if the decoder's frames tell it."""
    pictures = scanned.pictures
    if not scanned.shapes_by_time or len({kind.aspect for kind in pictures.kinds}) == 1:
        return []
    start, unit = scanned.times[0], scanned.time_base
    found = pictures.stretches(scanned.times, lambda kind: kind.pixel_aspect)
    if len(found) > MAX_STRETCHES:
        found = sorted(found, key=lambda one: one[0] - one[1])[:MAX_STRETCHES]
    return [
        Stretch(
            start_seconds=max(0.0, float((begins - start) * unit)),
            end_seconds=min(_MAX_SECONDS, float((ends - start) * unit)),
            sample_aspect_ratio=f"{kind.pixel_aspect.numerator}/{kind.pixel_aspect.denominator}",
        )
        for begins, ends, kind in sorted(found)
    ]


def audio(stream: Stream, decodable: Container[str]) -> AudioStream:
    """A stream of sound, as the container lists it; missing times become 0. `decodable`: the codecs with a decoder."""
    role = role_of(stream.dispositions, stream.title, stream.handler)
    return AudioStream(
        index=stream.index,
        codec=stream.codec,
        format=stream.format,
        decodable=stream.codec in decodable,
        channels=stream.channels,
        sample_rate=stream.sample_rate,
        channel_layout=stream.channel_layout,
        language=stream.language,
        title=stream.title,
        default=stream.default,
        role=role.name,
        role_guessed=role.guessed,
        original="original" in stream.dispositions,
        bitrate_bps=stream.bitrate_bps,
        start_seconds=stream.start_seconds or 0.0,
        duration_seconds=stream.duration_seconds or 0.0,
    )


def subtitle(stream: Stream) -> SubtitleStream:
    """A subtitle stream. `text` is False for codecs that store pictures. A kind that no flag says may stand in the title."""
    return SubtitleStream(
        index=stream.index,
        codec=stream.codec,
        language=stream.language,
        title=stream.title,
        forced=stream.forced or languages.says_forced(stream.title),
        default=stream.default,
        hearing_impaired=stream.hearing_impaired or languages.says_hearing_impaired(stream.title),
        commentary=stream.commentary or languages.says_commentary(stream.title),
        text=stream.codec in _TEXT_CODECS,
    )
