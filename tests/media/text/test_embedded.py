# ruff: noqa: RUF001 - letters of all languages
"""Text inside a film is read as bytes: nothing is lost for its encoding, and flags and titles reach the tracks."""

from pathlib import Path

import pytest

from marquee.documents import SubtitleStream
from marquee.media.source import source_streams
from marquee.media.source.probe import probe
from marquee.media.text import embedded
from marquee.media.text.subtitles import SidecarFile, extract_subtitles
from tests.harness.media.packaging import a_source, ffmpeg
from tests.harness.media.sentences import SENTENCES, subrip

RUSSIAN = ["Привет, <i>как дела</i>?", "{\\an8}Всё хорошо & спасибо", *SENTENCES["ru"]]


async def film_with(folder: Path, name: str, subtitles: Path, *options: str) -> Path:
    path = folder / name
    picture = (
        "-f",
        "lavfi",
        "-i",
        "color=s=16x16:r=5:d=12",
        "-i",
        subtitles,
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "libx264",
    )
    await ffmpeg(*picture, *options, path)
    return path


async def tracks_of(path: Path, folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """(label, WebVTT) of each track, and the codes of the notes."""
    streams = [source_streams.subtitle(one) for one in (await probe(path)).of_kind("subtitle")]
    made = await extract_subtitles(a_source(subtitles=streams), path, [], folder / "out", duration_seconds=12.0)
    return [(one.label, (folder / "out" / one.key).read_text()) for one in made.tracks], [
        one.code for one in made.notes
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r"])
async def test_subrip_in_matroska_keeps_lines_that_are_not_utf8(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "text.srt").write_bytes(subrip(RUSSIAN).encode(encoding))
    flags = ("-c:s", "copy", "-metadata:s:s:0", "language=rus", "-disposition:s:0", "forced+hearing_impaired")
    path = await film_with(tmp_path, "film.mkv", tmp_path / "text.srt", *flags)
    [(label, text)], codes = await tracks_of(path, tmp_path)
    assert label == "Russian (forced) (SDH)"
    assert "Привет, <i>как дела</i>?" in text
    assert "00:00:02.000 --> 00:00:02.900 line:5%\nВсё хорошо &amp; спасибо" in text
    assert all(one in text for one in SENTENCES["ru"]), "a line was dropped"
    assert codes == ([] if encoding == "utf-8" else ["text-encoding-guessed"])


async def test_ass_in_an_old_encoding_is_read_as_ass(tmp_path: Path) -> None:
    head = "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[Events]\n"
    events = "".join(
        f"Dialogue: 0,0:00:0{n}.00,0:00:0{n}.90,Default,,0,0,0,,{text}\n"
        for n, text in enumerate(["{\\pos(100,50)}Магазин &nbsp;", "{\\p1}m 0 0 l 9 9{\\p0}", "Ты {\\i1}где{\\i0}?"], 1)
    )
    line = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    (tmp_path / "text.ass").write_bytes((head + line + events).encode("cp1251"))
    path = await film_with(
        tmp_path, "film.mkv", tmp_path / "text.ass", "-c:s", "copy", "-metadata:s:s:0", "language=rus"
    )
    [(label, text)], codes = await tracks_of(path, tmp_path)
    assert (label, codes) == ("Russian", ["text-encoding-guessed"])
    assert "line:14%,end position:16%\nМагазин &amp;nbsp;" in text
    assert "Ты <i>где</i>?" in text
    assert "m 0 0" not in text, "a drawing's coordinates are shown"


async def test_timed_text_and_webvtt_keep_characters_and_styles(tmp_path: Path) -> None:
    words = ["a\u00a0b\u2009c \u200f(שלום)\u200f", "<b>bold</b> & 👨\u200d👩\u200d👧", *RUSSIAN[:1]]
    (tmp_path / "text.srt").write_text(subrip(words), encoding="utf-8")
    for name, codec in (("film.mp4", "mov_text"), ("film.mkv", "webvtt")):
        path = await film_with(tmp_path, name, tmp_path / "text.srt", "-c:s", codec, "-metadata:s:s:0", "language=ger")
        [(label, text)], codes = await tracks_of(path, tmp_path)
        assert (label, codes) == ("German", [])
        for expected in (words[0], "<b>bold</b> &amp; 👨\u200d👩\u200d👧", "<i>как дела</i>"):
            assert expected in text, f"{name} lost {expected}"


def test_timed_text_in_utf16_and_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    """3GPP allows UTF-16 with its mark; some writers store other encodings."""
    stream = SubtitleStream(index=0, codec="mov_text", language="rus")
    for texts in (
        ["Привет".encode("utf-16-be"), "Хорошо".encode("utf-16-be")],
        [b"\xcf\xf0\xe8\xe2\xe5\xf2", b"\xd5\xee\xf0\xee\xf8\xee"],
    ):
        mark = b"" if texts[0][0] == 0xCF else b"\xfe\xff"
        samples = [len(mark + one).to_bytes(2, "big") + mark + one for one in texts]
        (tmp_path / "0.bin").write_bytes(b"".join(samples))
        lines = [f"0, {n * 1000}, {n * 1000}, 900, {len(one)}, 0x0" for n, one in enumerate(samples)]
        (tmp_path / "0.txt").write_text("\n".join(["#tb 0: 1/1000", *lines]))
        assert [cue.text for cue in embedded.read_track(stream, tmp_path, "ru").parsed.cues] == ["Привет", "Хорошо"]


def test_a_cue_without_an_end_stays_until_the_next(tmp_path: Path) -> None:
    (tmp_path / "0.bin").write_bytes(b"onetwothree")
    (tmp_path / "0.txt").write_text(
        "#tb 0: 1/1000\n0, 0, 0, 0, 3, 0x0\n0, 2000, 2000, 0, 3, 0x0\n0, 60000, 60000, 0, 5, 0x0\n"
    )
    read = embedded.read_track(SubtitleStream(index=0, codec="subrip"), tmp_path, "und")
    assert [(cue.start, cue.end) for cue in read.parsed.cues] == [(0.0, 2.0), (2.0, 7.0), (60.0, 65.0)]
    assert read.repaired == 3


async def test_a_sidecars_kind_and_encoding_reach_its_track(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(subrip(SENTENCES["el"]).encode("iso8859-7"))
    sidecar = SidecarFile(
        path=tmp_path / "old",
        file_name="film.srt",
        language="el",
        encoding="iso8859-7",
        encoding_guessed=True,
        hearing_impaired=True,
    )
    made = await extract_subtitles(a_source(), tmp_path / "none", [sidecar], tmp_path / "out", duration_seconds=60.0)
    [track] = made.tracks
    assert (track.name, track.label, track.hearing_impaired, track.default) == ("el-sdh", "Greek (SDH)", True, False)
    assert [one.code for one in made.notes] == ["text-encoding-guessed"]
    assert SENTENCES["el"][0] in (tmp_path / "out" / track.key).read_text()
