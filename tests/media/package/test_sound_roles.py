"""A player can tell the film's own sound, dubs, commentaries and descriptions apart, in HLS and in DASH."""

import xml.etree.ElementTree as ET

import m3u8
import pytest

from marquee.documents import PackagedStream, StreamsDocument, SubtitlesDocument
from marquee.media.package.manifest import master_playlist, mpd

DASH = "{urn:mpeg:dash:schema:mpd:2011}"


def track(name: str, language: str = "en", *, default: bool = False, **more: object) -> PackagedStream:
    return PackagedStream(
        kind="audio",
        name=name,
        playlist=f"audio/{name}/index.m3u8",
        init_segment=f"audio/{name}/init.mp4",
        segments=[f"audio/{name}/seg_00001.m4s"],
        segment_seconds=[6.0],
        segment_bytes=[1000],
        average_bps=1000,
        peak_bps=1000,
        codecs="mp4a.40.2",
        start_seconds=0.0,
        channels=2,
        sample_rate=48_000,
        language=language,
        label=name,
        default=default,
        **more,  # type: ignore[arg-type]
    )


AUDIO = [
    track("own", default=True, original=True),
    track("other cut"),
    track("french", "fr"),
    track("dub", "de", role="dub"),
    track("commentary", role="commentary"),
    track("description", role="description"),
    track("clear", role="clear-dialogue"),
    track("music", role="no-dialogue"),
]


def a_title(audio: list[PackagedStream]) -> StreamsDocument:
    return StreamsDocument(
        movie_id="m", version=1, prefix="m/v1/", video=[], audio=audio, segment_frames=150, size_bytes=1
    )


NO_TEXT = SubtitlesDocument(movie_id="m", version=1, tracks=[])


def test_hls_has_characteristics_and_never_selects_a_commentary() -> None:
    media = m3u8.loads(master_playlist(a_title(AUDIO), NO_TEXT)).media
    assert [(one.name, one.default, one.autoselect, one.characteristics) for one in media] == [
        ("own", "YES", "YES", "public.original-content"),
        ("other cut", "NO", "YES", None),
        ("french", "NO", "YES", None),
        ("dub", "NO", "YES", "public.translation.dubbed"),
        ("commentary", "NO", "NO", "public.auxiliary-content"),
        ("description", "NO", "YES", "public.accessibility.describes-video"),
        ("clear", "NO", "YES", "public.accessibility.enhances-speech-intelligibility"),
        ("music", "NO", "NO", None),
    ]


def test_dash_has_roles_and_accessibility_in_the_schemas_order() -> None:
    every = ET.fromstring(mpd(a_title(AUDIO), NO_TEXT)).iter(f"{DASH}AdaptationSet")
    sets = [one for one in every if one.get("contentType") == "audio"]
    found = {
        each.findtext(f"{DASH}Label"): [
            (one.tag.removeprefix(DASH), one.get("value"))
            for one in each
            if one.tag.removeprefix(DASH) in {"Accessibility", "Role"}
        ]
        for each in sets
    }
    assert found == {
        "own": [("Role", "main")],
        "other cut": [("Role", "alternate")],
        "french": [("Role", "dub")],
        "dub": [("Role", "dub")],
        "commentary": [("Role", "commentary")],
        "description": [("Accessibility", "1"), ("Role", "description")],
        "clear": [("Accessibility", "2"), ("Role", "enhanced-audio-intelligibility")],
        "music": [("Role", "supplementary")],
    }


@pytest.mark.parametrize("role", ["commentary", "description"])
def test_a_sole_track_can_be_selected_whatever_it_is(role: str) -> None:
    title = a_title([track("only", default=True, role=role)])
    (only,) = m3u8.loads(master_playlist(title, NO_TEXT)).media
    assert (only.default, only.autoselect) == ("YES", "YES"), "RFC 8216: DEFAULT=YES needs AUTOSELECT=YES"
    assert 'value="main"' in mpd(title, NO_TEXT)


def test_the_original_is_no_dub_where_a_setting_has_another_default() -> None:
    title = a_title([track("french", "fr", default=True, role="dub"), track("own", original=True)])
    text = mpd(title, NO_TEXT)
    assert text.count('value="dub"') == 1
    assert 'value="alternate"' in text
