"""A player can tell forced subtitles, subtitles for the hearing impaired and a commentary's apart, in HLS and in DASH."""

import xml.etree.ElementTree as ET

import m3u8

from marquee.documents import StreamsDocument, SubtitlesDocument, TextTrack
from marquee.media.package.manifest import master_playlist, mpd

DASH = "{urn:mpeg:dash:schema:mpd:2011}"
SDH = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"


def _track(name: str, label: str, *, forced: bool = False, sdh: bool = False, commentary: bool = False) -> TextTrack:
    return TextTrack(
        name=name,
        language="en",
        label=label,
        key=f"text/{name}/captions.vtt",
        playlist=f"text/{name}/index.m3u8",
        cues=1,
        forced=forced,
        default=forced,
        hearing_impaired=sdh,
        commentary=commentary,
    )


STREAMS = StreamsDocument(movie_id="m", version=1, prefix="m/v1/", video=[], audio=[], segment_frames=150, size_bytes=1)
TEXTS = SubtitlesDocument(
    movie_id="m",
    version=1,
    tracks=[
        _track("en", "English"),
        _track("en-forced", "English (forced)", forced=True),
        _track("en-sdh", "English (SDH)", sdh=True),
        _track("en-commentary", "English (commentary)", commentary=True),
    ],
)


def test_hls_has_forced_and_characteristics_and_never_selects_a_commentary() -> None:
    media = m3u8.loads(master_playlist(STREAMS, TEXTS)).media
    assert [(one.name, one.forced, one.autoselect, one.characteristics) for one in media] == [
        ("English", "NO", "YES", None),
        ("English (forced)", "YES", "YES", None),
        ("English (SDH)", "NO", "YES", SDH),
        ("English (commentary)", "NO", "NO", None),
    ]


def test_dash_has_roles_and_accessibility_in_the_schemas_order() -> None:
    every = ET.fromstring(mpd(STREAMS, TEXTS)).iter(f"{DASH}AdaptationSet")
    sets = [one for one in every if one.get("contentType") == "text"]
    found = [[(one.tag.removeprefix(DASH), one.get("value")) for one in each if one.get("value")] for each in sets]
    assert found == [
        [("Role", "subtitle")],
        [("Role", "forced-subtitle")],
        [("Accessibility", "2"), ("Role", "caption")],
        [("Role", "subtitle"), ("Role", "commentary")],
    ]
