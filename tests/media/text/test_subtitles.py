"""Subtitles of any format become clean WebVTT on the picture's clock. Other tracks are left out, with a sentence."""

from pathlib import Path

import pytest

from marquee.documents import SubtitleStream
from marquee.media.text import captions, encodings
from marquee.media.text.subtitles import SidecarFile, extract_subtitles
from marquee.platform.project import FIXTURES
from tests.harness.media.packaging import a_source, ffmpeg


def _sidecar(path: Path, **more: str) -> SidecarFile:
    return SidecarFile(path=path, file_name=path.name, **more)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<i>Hi</i> & <b>you</b>", "<i>Hi</i> &amp; <b>you</b>"),
        ("<script>alert('x')</script>Hello", "Hello"),
        ("<img src=x onerror=alert(1)>Hello <font color=red>red</font>", "Hello red"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("a --> b", "a --&gt; b"),
        ("{\\an8}top", "top"),
        ("<i>never closed", "<i>never closed</i>"),
        ("<i><b>crossed</i></b>", "<i><b>crossed</b></i><b></b>"),
        ("one\u0007\u202e two", "one\u202e two"),
    ],
)
def test_a_cue_keeps_its_words_and_nothing_that_runs(written: str, expected: str) -> None:
    cue = captions.parse(f"1\n00:00:01,000 --> 00:00:02,000\n{written}\n")[0]
    assert cue.text == expected


def test_webvtt_notes_styles_and_names_are_not_words() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE a remark\n\n00:01.000 --> 00:02.000 line:0\n<v Bob>Hello\n\n"
        "named\n00:00:03.000 --> 00:00:04.000\n<c.loud>You</c> <00:00:03.500>there\n"
    )
    assert [(cue.start, cue.end, cue.text) for cue in captions.parse(text)] == [
        (1.0, 2.0, "<v Bob>Hello</v>"),
        (3.0, 4.0, "<c.loud>You</c> there"),
    ]


def test_drawings_and_comments_of_substation_are_dropped() -> None:
    text = (
        "[Script Info]\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an8\\i1}Sign{\\i0}\\Ntwo\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}\n"
        "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,hidden\n"
    )
    cues = captions.parse(text)
    assert [(cue.text, cue.top) for cue in cues] == [("<i>Sign</i>\ntwo", True)]
    assert "line:5%" in captions.webvtt(cues)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_old_encodings_are_read(encoding: str) -> None:
    content = "1\r\n00:00:01,000 --> 00:00:02,000\r\nÄh, señor\r\n".encode(encoding)
    assert captions.parse(encodings.decode(content, language="es").text)[0].text == "Äh, señor"


def test_cues_are_moved_and_cut_to_the_picture() -> None:
    cues = [captions.Cue(0.0, 1.0, "before"), captions.Cue(1.0, 3.0, "across"), captions.Cue(9.0, 99.0, "end")]
    on_picture_clock = captions.on_picture_clock(
        [*cues, captions.Cue(50.0, 51.0, "after")], offset_seconds=1.4, duration_seconds=10.0
    )
    assert [(round(cue.start, 3), round(cue.end, 3), cue.text) for cue in on_picture_clock] == [
        (0.0, 1.6, "across"),
        (7.6, 10.0, "end"),
    ]


async def test_sidecars_become_tracks_and_broken_ones_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.srt").write_bytes(b"")
    (tmp_path / "prose.srt").write_text("Dear Sir or Madam,\n")
    (tmp_path / "film.srt").write_bytes((FIXTURES / "test_sar.mp4").read_bytes())
    (tmp_path / "late.srt").write_text("1\n01:00:00,000 --> 01:00:01,000\nLate\n")
    sidecars = [
        _sidecar(FIXTURES / "captions_a.srt", language="eng"),  # dots where SubRip has commas
        _sidecar(FIXTURES / "captions_b.vtt", language="zh", label="中文"),
        *(_sidecar(tmp_path / f"{name}.srt") for name in ("empty", "prose", "film", "late")),
    ]
    made = await extract_subtitles(a_source(), tmp_path / "none", sidecars, tmp_path / "out", duration_seconds=10.0)
    assert [(track.name, track.label, track.language) for track in made.tracks] == [
        ("en", "English", "en"),
        ("zh", "中文", "zh"),
    ]
    assert made.tracks[0].cues == 7
    assert not any(track.default for track in made.tracks), "captions would be shown without the viewer's choice"
    text = (tmp_path / "out" / made.tracks[0].key).read_text()
    assert text.startswith("WEBVTT\n")
    assert "00:00:00.500 --> 00:00:01.000\nB" in text
    assert "captions.vtt" in (tmp_path / "out" / made.tracks[0].playlist).read_text()
    left_out = [one.sentence for one in made.notes]
    reasons = "\n".join(left_out)
    for name, reason in [
        ("empty", "no cue"),
        ("prose", "no cue"),
        ("film", "not text"),
        ("late", "within the picture"),
    ]:
        assert any(name in line and reason in line for line in left_out), f"{name}: {reason} is not in\n{reasons}"


async def test_embedded_text_is_on_the_pictures_clock(tmp_path: Path) -> None:
    """The clock of picture and text starts late. The cue must appear at the same picture as in the source."""
    (tmp_path / "text.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nNow\n")
    path = tmp_path / "film.mkv"
    await ffmpeg(
        *("-itsoffset", "0.5", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=4", "-itsoffset", "0.5"),
        *("-i", tmp_path / "text.srt", "-c:v", "libx264", "-bf", "0", "-c:s", "subrip", path),
    )
    source = a_source(subtitles=[SubtitleStream(index=1, codec="subrip", language="eng")], start_seconds=0.5)
    made = await extract_subtitles(source, path, [], tmp_path / "out", duration_seconds=4.0)
    assert "00:00:01.000 --> 00:00:02.000\nNow" in (tmp_path / "out" / made.tracks[0].key).read_text()


async def test_a_track_too_large_to_be_subtitles_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marquee.media.text.embedded.MAX_TRACK_BYTES", 1024**2)
    cues = [f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\n{'x' * 60_000}\n" for n in range(30)]
    (tmp_path / "text.srt").write_text("\n".join(cues))
    path = tmp_path / "film.mkv"
    await ffmpeg("-i", tmp_path / "text.srt", "-c:s", "subrip", path)
    source = a_source(subtitles=[SubtitleStream(index=0, codec="subrip", language="eng")])
    made = await extract_subtitles(source, path, [], tmp_path / "out", duration_seconds=120.0)
    assert not made.tracks
    assert [one.sentence for one in made.notes] == ["Subtitle track 0 (English) is left out: it is larger than 1 MiB."]


async def test_bitmap_tracks_are_left_out(tmp_path: Path) -> None:
    stream = SubtitleStream(index=2, codec="hdmv_pgs_subtitle", language="eng", text=False)
    made = await extract_subtitles(
        a_source(subtitles=[stream]), tmp_path / "none", [], tmp_path / "out", duration_seconds=4.0
    )
    assert not made.tracks
    assert not made.notes, "the stage source has told it already"


@pytest.mark.parametrize(
    ("name", "index", "codec", "word"),
    [
        ("dev/subs_srt.mkv", 2, "subrip", "This is the first subtitle."),
        ("dev/subs_ass.mkv", 2, "ass", "This is the first subtitle."),
        ("dev/mov_text_subs.mp4", 2, "mov_text", "oop"),
        ("dev/webvtt_subs.mkv", 2, "webvtt", "oop"),
        ("derived/d_two_audio_two_subs.mkv", 3, "subrip", "é ü ñ 日本"),
        ("derived/d_two_audio_two_subs.mkv", 4, "subrip", "Vögel singen"),
    ],
)
async def test_real_text_tracks(
    name: str, index: int, codec: str, word: str, shared_media: Path, tmp_path: Path
) -> None:
    source = a_source(subtitles=[SubtitleStream(index=index, codec=codec)])
    made = await extract_subtitles(source, shared_media / name, [], tmp_path, duration_seconds=15.0)
    assert not made.notes
    assert word in (tmp_path / made.tracks[0].key).read_text()
