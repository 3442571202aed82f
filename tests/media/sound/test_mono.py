"""Mono streams are joined by evidence only: else a commentary would play in the right ear."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import AudioStream
from marquee.media.sound.mono import is_production_container, place, recordings
from tests.harness.media.packaging import sound


def tracks(*descriptions: dict[str, object]) -> list[AudioStream]:
    return [sound(index, 1, **one) for index, one in enumerate(descriptions, start=1)]


def titled(*titles: str) -> list[AudioStream]:
    return tracks(*({"title": one} for one in titles))


SIX = ("L", "R", "C", "LFE", "Ls", "Rs")
PLAIN: dict[str, object] = {}

JOINED: list[tuple[str, bool, list[AudioStream], list[tuple[tuple[int, ...], str]]]] = [
    ("left and right by title", False, titled("Left", "Right"), [((1, 2), "stereo")]),
    ("in another order", False, titled("right", "left"), [((2, 1), "stereo")]),
    ("letters", False, titled("L", "R"), [((1, 2), "stereo")]),
    ("after a name", False, titled("Commentary - L", "Commentary - R"), [((1, 2), "stereo")]),
    ("in brackets", False, titled("Audio (left)", "Audio (right)"), [((1, 2), "stereo")]),
    ("French", False, titled("Gauche", "Droite"), [((1, 2), "stereo")]),
    ("German", False, titled("Links", "Rechts"), [((1, 2), "stereo")]),
    ("Spanish", False, titled("Izquierda", "Derecha"), [((1, 2), "stereo")]),
    *(
        (f"{left} and {right}", False, titled(left, right), [((1, 2), "stereo")])
        for left, right in (
            *(("Vänster", "Höger"), ("Venstre", "Højre"), ("Vasen", "Oikea"), ("Lewy", "Prawy"), ("Levý", "Pravý")),
            *(("Левый", "Правый"), ("Л", "П"), ("Αριστερό", "Δεξιό"), ("Sol", "Sağ"), ("Bal", "Jobb"), ("左", "右")),
            *(
                ("左チャンネル", "右チャンネル"),
                ("왼쪽", "오른쪽"),
                ("يسار", "يمين"),
                ("Left channel", "Right channel"),
            ),
            *(("Audio - Linker Kanal", "Audio - Rechter Kanal"), ("Stânga", "Dreapta")),
        )
    ),
    ("5.1 by title", False, titled(*SIX), [((1, 2, 3, 4, 5, 6), "5.1")]),
    (
        "5.1 in film order",
        False,
        titled("Left", "Center", "Right", "Left Surround", "Right Surround", "LFE"),
        [((1, 3, 2, 6, 4, 5), "5.1")],
    ),
    ("5.1 and its stereo mix", False, titled(*SIX, "Lt", "Rt"), [((7, 8), "stereo"), ((1, 2, 3, 4, 5, 6), "5.1")]),
    ("left, right, centre", False, titled("L", "R", "C"), [((1, 2, 3), "3.0")]),
    (
        "by layout",
        False,
        tracks({"channel_layout": "1 channels (FL)"}, {"channel_layout": "1 channels (FR)"}),
        [((1, 2), "stereo")],
    ),
    (
        "7.1 by layout",
        False,
        tracks(*({"channel_layout": one} for one in ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"))),
        [((1, 2, 3, 4, 5, 6, 7, 8), "7.1")],
    ),
    ("numbered channels", False, titled("Channel 1", "Channel 2"), [((1, 2), "stereo")]),
    ("numbered channels, short", False, titled("ch1", "ch2"), [((1, 2), "stereo")]),
    (
        "two languages",
        False,
        tracks(*({"title": t, "language": one} for one in ("eng", "fra") for t in ("L", "R"))),
        [((1, 2), "stereo"), ((3, 4), "stereo")],
    ),
    (
        "two languages named in the titles",
        False,
        titled("English L", "English R", "French L", "French R"),
        [((1, 2), "stereo"), ((3, 4), "stereo")],
    ),
    ("two of a camera", True, tracks(PLAIN, PLAIN), [((1, 2), "stereo")]),
    ("two of an editor, the second not enabled", True, tracks({"default": True}, PLAIN), [((1, 2), "stereo")]),
    ("two of an editor, counted", True, titled("Audio 1", "Audio 2"), [((1, 2), "stereo")]),
    ("two of an editor, one language", True, tracks({"language": "eng"}, {"language": "eng"}), [((1, 2), "stereo")]),
    ("four of a broadcaster", True, tracks(*[PLAIN] * 4), [((1, 2), "stereo")]),
    ("six of a studio", True, tracks(*[PLAIN] * 6), [((1, 2, 3, 4, 5, 6), "5.1")]),
    ("eight of a studio", True, tracks(*[PLAIN] * 8), [((7, 8), "stereo"), ((1, 2, 3, 4, 5, 6), "5.1")]),
    (
        "a pair beside a stereo track",
        True,
        [sound(1, 2), *(sound(n, 1) for n in (2, 3))],
        [((2, 3), "stereo")],
    ),
]

APART: list[tuple[str, bool, list[AudioStream]]] = [
    ("nothing but one language", False, tracks({"language": "eng"}, {"language": "eng"})),
    ("nothing at all", False, tracks(PLAIN, PLAIN)),
    ("six without a word", False, tracks(*[PLAIN] * 6)),
    ("OBS", False, titled("Track1", "Track2")),
    ("counted as audio", False, titled("Audio 1", "Audio 2")),
    ("a commentary", False, tracks({"default": True}, {"role": "commentary"})),
    ("a commentary in an editor's file", True, tracks(PLAIN, {"role": "commentary"})),
    ("a described track in an editor's file", True, tracks(PLAIN, {"role": "description"})),
    ("titles that differ in an editor's file", True, titled("Film", "Interview")),
    ("one title in an editor's file", True, tracks(PLAIN, {"title": "Director"})),
    ("languages in an editor's file", True, tracks({"language": "eng"}, {"language": "fra"})),
    ("codecs", True, [sound(1, 1), AudioStream(index=2, codec="pcm_s16le", channels=1, sample_rate=48_000)]),
    ("sampling rates", True, [sound(1, 1), AudioStream(index=2, codec="aac", channels=1, sample_rate=44_100)]),
    ("lengths", True, tracks({"duration_seconds": 6.0}, {"duration_seconds": 4.0})),
    ("begins", True, tracks(PLAIN, {"start_seconds": 2.0})),
    ("bit rates", True, tracks({"bitrate_bps": 128_000}, {"bitrate_bps": 64_000})),
    ("left alone", False, titled("Left", "Film")),
    ("left twice", False, titled("Left", "Left")),
    ("left of one language, right of another", False, tracks(
        {"title": "L", "language": "eng"}, {"title": "R", "language": "fra"})),
    ("left of the film, right of a commentary", False, tracks(
        {"title": "L"}, {"title": "R", "role": "commentary"})),
    ("channels with a gap", False, titled("Channel 1", "Channel 3")),
    ("titles that end in a letter", False, titled("Part C", "Vitamin C")),
]  # fmt: skip


@pytest.mark.parametrize(("production", "streams", "expected"), [row[1:] for row in JOINED], ids=[r[0] for r in JOINED])
def test_channels_of_one_recording_are_joined(
    production: bool, streams: list[AudioStream], expected: list[tuple[tuple[int, ...], str]]
) -> None:
    found, _ = recordings(streams, production=production)
    assert [(tuple(one.index for one in each.streams), each.layout) for each in found] == expected


@pytest.mark.parametrize(("production", "streams"), [row[1:] for row in APART], ids=[row[0] for row in APART])
def test_versions_are_kept_apart(production: bool, streams: list[AudioStream]) -> None:
    assert recordings(streams, production=production)[0] == []


@pytest.mark.parametrize(
    ("container", "brand", "production"),
    [
        ("mxf", "", True),
        ("gxf", "", True),
        ("mov,mp4,m4a,3gp,3g2,mj2", "qt", True),
        ("mov,mp4,m4a,3gp,3g2,mj2", "", True),
        ("mov,mp4,m4a,3gp,3g2,mj2", "isom", False),
        ("mov,mp4,m4a,3gp,3g2,mj2", "mp42", False),
        ("matroska,webm", "", False),
        ("mpegts", "", False),
        ("avi", "", False),
    ],
)
def test_cameras_and_editors_write_mxf_and_quicktime(container: str, brand: str, production: bool) -> None:
    assert is_production_container(container, brand) is production


def test_a_place_is_read_from_layout_and_title() -> None:
    assert place(sound(1, 1, channel_layout="1 channels (FL)")) == "FL"
    assert place(sound(1, 1, channel_layout="mono", title="A2 (Right)")) == "FR"
    assert place(sound(1, 1, channel_layout="mono")) is None
    assert place(sound(1, 1, title="All is well")) is None


any_track = st.fixed_dictionaries(
    {
        "language": st.sampled_from(["und", "eng", "fra"]),
        "title": st.sampled_from(
            [None, "L", "R", "C", "LFE", "Ls", "Rs", "Lt", "Rt", "Left", "Ch 1", "Ch 2", "Film", "1"]
        ),
        "role": st.sampled_from(["main", "main", "main", "commentary", "description"]),
        "channel_layout": st.sampled_from([None, "mono", "1 channels (FL)", "FR"]),
    }
)


@given(st.lists(any_track, max_size=10), st.booleans())
def test_no_stream_is_lost_or_used_twice_and_a_role_is_never_mixed_with_another(
    listed: Sequence[dict[str, object]], production: bool
) -> None:
    streams = tracks(*listed)
    found, apart = recordings(streams, production=production)
    used = [one.index for each in found for one in (*each.streams, *each.left_out)]
    assert len(used) == len(set(used))
    assert not {one.index for one in apart} & set(used)
    for each in found:
        assert len({(one.language, one.role) for one in each.streams}) == 1
