"""The checks of Apple's authoring rules on sound and text tracks (`authoring`), like those of `authoring_checks`. Pure."""

from typing import Final

import m3u8

from marquee.media.package.authoring_checks import Told, codecs_of, of_media, variants, video_codec

_DESCRIBES_VIDEO: Final = "public.accessibility.describes-video"
_FOR_THE_DEAF: Final = (
    "public.accessibility.transcribes-spoken-dialog",
    "public.accessibility.describes-music-and-sound",
)
_AUDIO_CODECS: Final = ("mp4a.40.2", "mp4a.40.5", "mp4a.40.29", "mp4a.40.42", "alac", "fLaC", "ac-3", "ec-3")
_TEXT_CODECS: Final = ("wvtt", "stpp")
_MAX_STEREO_BPS: Final = 165_000
"""Apple's 160 kbit/s, and the boxes around the packets."""


def sound_codecs(told: Told) -> list[str]:
    """A codec beside the picture's that is neither sound of Apple's list nor text."""

    def wrong(one: m3u8.Playlist) -> str | None:
        others = [codec for codec in codecs_of(one) if codec and codec != video_codec(one)]
        unknown = [codec for codec in others if not codec.startswith((*_AUDIO_CODECS, *_TEXT_CODECS))]
        return f"has the sound codec {unknown[0]}, which is not on Apple's list" if unknown else None

    return variants(told, wrong)


def separate_sound(told: Told) -> list[str]:
    """A title with sound has it in an EXT-X-MEDIA group of its own, which each variant names."""
    if not told.streams.audio:
        return []
    return variants(told, lambda one: None if told.sounds(one.stream_info.audio) else "names no audio group")


def _described(told: Told) -> dict[str, str]:
    """NAME by playlist of the sound tracks that describe the picture."""
    return {one.playlist: one.label or "" for one in told.streams.audio if one.role == "description"}


def descriptions(told: Told) -> list[str]:
    """Sound that describes the picture is marked as such."""
    found = _described(told)
    return of_media(
        told,
        "AUDIO",
        lambda one: (
            f"lacks CHARACTERISTICS {_DESCRIBES_VIDEO}"
            if one.uri in found and _DESCRIBES_VIDEO not in (one.characteristics or "").split(",")
            else None
        ),
    )


def selectable_descriptions(told: Told) -> list[str]:
    """Sound that describes the picture can be chosen by the system's setting."""
    return of_media(
        told,
        "AUDIO",
        lambda one: (
            "describes the picture and lacks AUTOSELECT=YES"
            if _DESCRIBES_VIDEO in (one.characteristics or "") and one.autoselect != "YES"
            else None
        ),
    )


def marked_sdh(told: Told) -> list[str]:
    """Subtitles for viewers who hear badly are marked as such."""
    found = {one.playlist for one in told.subtitles.tracks if one.hearing_impaired}
    return of_media(
        told,
        "SUBTITLES",
        lambda one: (
            f"lacks CHARACTERISTICS {','.join(_FOR_THE_DEAF)}"
            if one.uri in found and not set(_FOR_THE_DEAF) <= set((one.characteristics or "").split(","))
            else None
        ),
    )


def selectable_sdh(told: Told) -> list[str]:
    """Subtitles for viewers who hear badly can be chosen by the system's setting."""
    return of_media(
        told,
        "SUBTITLES",
        lambda one: (
            "is for viewers who hear badly and lacks AUTOSELECT=YES"
            if _FOR_THE_DEAF[0] in (one.characteristics or "") and one.autoselect != "YES"
            else None
        ),
    )


def selectable_forced(told: Told) -> list[str]:
    """Forced subtitles are shown without a choice, so a player must be able to select them itself."""
    return of_media(
        told,
        "SUBTITLES",
        lambda one: "is forced and lacks AUTOSELECT=YES" if one.forced == "YES" and one.autoselect != "YES" else None,
    )


def stereo(told: Told) -> list[str]:
    if not told.streams.audio:
        return []
    groups = {one.group_id for one in told.master.media if one.type == "AUDIO"}
    for group in groups:
        members = [one for one in told.master.media if one.type == "AUDIO" and one.group_id == group]
        if all(one.channels == "2" for one in members):
            return []
    return ["no audio group is all in stereo"]


def channel_rates(told: Told) -> list[str]:
    return [
        f"stereo track {one.name} has {one.average_bps} bits a second, above 160,000"
        for one in told.streams.audio
        if one.channels == 2 and one.average_bps > _MAX_STEREO_BPS
    ]


def whole_text(told: Told) -> list[str]:
    length = max((sum(one.segment_seconds) for one in told.streams.video), default=0.0)
    return [
        f"{one.playlist} lasts {sum(told.seconds(one.playlist)):.3f} s, and the picture {length:.3f} s"
        for one in told.subtitles.tracks
        if one.playlist in told.media and abs(sum(told.seconds(one.playlist)) - length) > told.frame_seconds + 1e-3
    ]


def webvtt(told: Told) -> list[str]:
    findings = []
    for one in told.subtitles.tracks:
        head = told.texts.get(one.key, "WEBVTT\nX-TIMESTAMP-MAP=")[:200]
        if not head.startswith("WEBVTT") or "X-TIMESTAMP-MAP=" not in head:
            findings.append(f"{one.key} does not begin with WEBVTT and X-TIMESTAMP-MAP")
    return findings
