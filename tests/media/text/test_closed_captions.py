"""Closed captions inside a film become text tracks on its clock, in every container that carries them, and leave the encodes."""

import struct
from pathlib import Path

import pytest

from marquee.documents import TextTrack
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.text.caption_data import CaptionData
from marquee.media.text.subtitles import extract_subtitles
from tests.harness.media import caption_films as cc
from tests.harness.media.caption_films import Script, captioned_film, pairs, row
from tests.harness.media.films import jobs_of_one_gop, judged, planned
from tests.harness.media.packaging import ffmpeg


def two_languages() -> Script:
    """English from 2 s to 5 s on CC1, French from 3 s on CC3."""
    script = Script()
    script.at(1.0, pairs(cc.RCL, cc.ENM, row(15, indent=8), "Good morning")).at(2.0, pairs(cc.EOC))
    script.at(1.0, pairs(cc.RCL, cc.ENM, row(15, indent=8), "Bonjour \x5c"), field=2).at(3.0, pairs(cc.EOC), field=2)
    return script.at(5.0, pairs(cc.EDM)).at(6.0, pairs(cc.EDM), field=2)


async def tracks_of(path: Path, folder: Path) -> tuple[dict[str, str], list[TextTrack], list[str]]:
    """Label -> WebVTT, the tracks, and the codes of all notes."""
    source = await judged(path)
    made = await extract_subtitles(source, path, [], folder / "out", duration_seconds=source.duration_seconds)
    codes = [one.code for one in [*source.notes, *made.notes]]
    return {one.label: (folder / "out" / one.key).read_text() for one in made.tracks}, made.tracks, codes


def check(texts: dict[str, str]) -> None:
    assert list(texts) == ["Closed captions", "Closed captions CC3"]
    assert "00:00:02.000 --> 00:00:05.000\nGood morning" in texts["Closed captions"]
    assert "00:00:03.000 --> 00:00:06.000 position:30.0% align:left\nBonjour é" in texts["Closed captions CC3"]


async def test_captions_in_h264_are_tracks_and_not_in_the_encodes(tmp_path: Path) -> None:
    path = await captioned_film(tmp_path / "film.mp4", two_languages())
    texts, tracks, codes = await tracks_of(path, tmp_path)
    check(texts)
    assert all(one.hearing_impaired and not one.default and one.language == "und" for one in tracks)
    assert "captions-inside-read" in codes
    source = await judged(path)
    assert source.video.captioned
    job = jobs_of_one_gop(planned(source), source)[0]
    for part in (await transcode_chunk(job, path, tmp_path)).parts:
        assert not (await judged(part.path)).video.captioned, f"rung {part.rung} carries the captions"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("reordered.mkv", ["-c:v", "libx264", "-bf", "3"]),
        ("hevc.mp4", ["-c:v", "libx265", "-x265-params", "bframes=3:log-level=none"]),
        ("mpeg2.mpg", ["-c:v", "mpeg2video", "-bf", "2"]),
        ("late.ts", ["-c:v", "libx264", "-bf", "2", "-output_ts_offset", "100"]),
    ],
)
async def test_captions_in_other_codecs_and_reordered_pictures(name: str, options: list[str], tmp_path: Path) -> None:
    first = await captioned_film(tmp_path / "first.mp4", two_languages())
    await ffmpeg("-i", str(first), "-a53cc", "1", *options, str(tmp_path / name))
    check((await tracks_of(tmp_path / name, tmp_path))[0])


async def test_times_follow_the_picture_behind_an_edit_list(tmp_path: Path) -> None:
    first = await captioned_film(tmp_path / "first.mp4", two_languages())
    path = tmp_path / "cut.mp4"
    await ffmpeg("-ss", "1", "-i", str(first), "-c", "copy", str(path))
    texts, _, _ = await tracks_of(path, tmp_path)
    assert "00:00:01.000 --> 00:00:04.000\nGood morning" in texts["Closed captions"]


async def test_padding_gives_no_track_and_no_note(tmp_path: Path) -> None:
    padding = [(0xFA, 0x00, 0x00), (0xFE, 0x00, 0x00)]
    path = await captioned_film(tmp_path / "film.mp4", Script(), seconds=2, extra=padding)
    assert (await judged(path)).video.captioned, "the film has no padding: nothing is tested"
    texts, _, codes = await tracks_of(path, tmp_path)
    assert not texts
    assert not [code for code in codes if "caption" in code]


async def test_cea708_alone_is_told(tmp_path: Path) -> None:
    # A packet of 4 bytes: its header, then service 1 with one character.
    packet = [(0xFF, 0x02, 0x21), (0xFE, ord("H"), 0x00)]
    path = await captioned_film(tmp_path / "film.mp4", Script(), seconds=2, extra=packet)
    texts, _, codes = await tracks_of(path, tmp_path)
    assert not texts
    assert "captions-inside-left-out" in codes


async def test_a_quicktime_caption_track_is_read(tmp_path: Path) -> None:
    plain = await captioned_film(tmp_path / "plain.mp4", Script(), seconds=6)
    lines = [(1, pairs(cc.RCL, row(15, indent=8), "In a track", cc.EOC)), (4, pairs(cc.EDM)), (5, pairs(cc.ENM))]
    words = [f"00:00:0{at}:00\t" + " ".join(f"{a:02x}{b:02x}" for a, b in one) for at, one in lines]
    (tmp_path / "text.scc").write_text("Scenarist_SCC V1.0\n\n" + "\n\n".join(words) + "\n")
    path = tmp_path / "film.mov"
    await ffmpeg(
        *("-i", str(plain), "-i", str(tmp_path / "text.scc"), "-map", "0", "-map", "1", "-c", "copy"),
        *("-metadata:s:s:0", "language=eng", str(path)),
    )
    texts, tracks, codes = await tracks_of(path, tmp_path)
    assert list(texts) == ["English (closed captions)"]
    assert "00:00:01.000 --> 00:00:04.000\nIn a track" in texts["English (closed captions)"]
    assert tracks[0].hearing_impaired
    assert not [code for code in codes if "subtitles" in code or "caption" in code]


def test_dvd_scte20_and_caption_packets_are_read() -> None:
    sent = pairs("Hi")
    dvd = CaptionData()
    block = bytes((0xFF, *sent[0])) + bytes((0xFE, 0x80, 0x80))
    dvd.add_picture(1.0, b"\x00\x00\x01\xb2CC\x01\xf8" + bytes((0x80 | 15 << 1,)) + block * 15)
    assert [(one.field, one.first & 0x7F) for one in dvd.pairs] == [(1, ord("H"))] * 15
    assert dvd.pairs[14].seconds == pytest.approx(1.0 + 14 * 1001 / 30000)
    scte = CaptionData()
    reversed_bytes = [int(f"{byte:08b}"[::-1], 2) for byte in sent[0]]
    bits = f"{1:05b}" + f"{0:02b}{1:02b}{11:05b}{reversed_bytes[0]:08b}{reversed_bytes[1]:08b}1"
    scte.add_picture(2.0, b"\x00\x00\x01\xb2\x03\x01" + int(bits.ljust(32, "0"), 2).to_bytes(4, "big"))
    assert scte.pairs[0] == (2.0, 1, *sent[0])
    packet = CaptionData()
    cdp = b"\x96\x69\x14\x3f\x43\x00\x01\x72\xe1" + bytes((0xFC, *sent[0])) + b"\x74\x00\x01\x00"
    packet.add_track_sample(3.0, struct.pack(">I4s", 8 + len(cdp), b"ccdp") + cdp)
    assert packet.pairs[0] == (3.0, 1, *sent[0])
    track = CaptionData()
    track.add_track_sample(4.0, struct.pack(">I4s", 10, b"cdt2") + bytes(sent[0]))
    assert track.pairs[0] == (4.0, 2, *sent[0])
