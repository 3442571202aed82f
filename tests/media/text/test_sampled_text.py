"""WebVTT and TTML in MP4: every sample says what is shown in its own time."""

import struct
from pathlib import Path

import pytest

from marquee.media.programs import binaries, process
from marquee.media.source import source_streams
from marquee.media.source.probe import probe
from marquee.media.text import encodings, sampled_text, wvtt
from marquee.media.text.cues import Cue, NotSubtitles
from marquee.media.text.sampled_text import Packet
from tests.harness.media.packaging import ffmpeg
from tests.media.text.test_embedded import tracks_of

WEBVTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:03.000 line:10%\nAbove é\n\n"
    "00:00:02.000 --> 00:00:05.000\nLonger & longer\n\n00:00:08.000 --> 00:00:09.000\nLast\n"
)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def document(*paragraphs: str) -> bytes:
    return f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>{"".join(paragraphs)}</div></body></tt>'.encode()


@pytest.mark.parametrize("text_format", ["vtt+mp4", "ttml+mp4"])
async def test_tracks_of_adaptive_streams_are_read(text_format: str, tmp_path: Path) -> None:
    (tmp_path / "text.vtt").write_text(WEBVTT.replace(" & ", " and "))
    text = f"in={tmp_path}/text.vtt,stream=text,format={text_format},language=fr,output={tmp_path}/text.mp4"
    await process.run([binaries.packager(), text, "--segment_duration", "4"], timeout_seconds=60)
    [(label, written)], codes = await tracks_of(tmp_path / "text.mp4", tmp_path)
    assert (label, codes) == ("French", [])
    assert "00:00:01.000 --> 00:00:03.000 line:10%" in written
    assert "Above é" in written
    assert "00:00:02.000 --> 00:00:05.000" in written, "a cue of several samples is one"
    assert written.count("Longer and longer") == 1
    assert written.count("00:00:08.000 --> 00:00:09.000") == 1


async def test_ttml_beside_a_picture_is_read(tmp_path: Path) -> None:
    (tmp_path / "text.vtt").write_text(WEBVTT)
    picture = ("-f", "lavfi", "-i", "color=s=16x16:r=5:d=12", "-i", tmp_path / "text.vtt", "-map", "0", "-map", "1")
    await ffmpeg(*picture, "-c:v", "libx264", "-c:s", "ttml", tmp_path / "film.mp4")
    [(_, written)], codes = await tracks_of(tmp_path / "film.mp4", tmp_path)
    assert "00:00:02.000 --> 00:00:05.000\nLonger &amp; longer" in written
    assert codes == []


async def test_a_wvtt_track_is_a_text_track_for_the_probe(tmp_path: Path) -> None:
    (tmp_path / "text.vtt").write_text(WEBVTT)
    text = f"in={tmp_path}/text.vtt,stream=text,output={tmp_path}/text.mp4"
    await process.run([binaries.packager(), text], timeout_seconds=60)
    [stream] = (await probe(tmp_path / "text.mp4")).streams
    assert stream.kind == "subtitle", "it is not told as data that is left out"
    assert source_streams.subtitle(stream).text


def test_samples_hold_cues_settings_and_damage() -> None:
    sample = box(b"vttc", box(b"sttg", b"line:5% nonsense:1") + box(b"payl", "<b>Hi</b> \u200b&amp; ho".encode()))
    assert wvtt.cues(sample + box(b"vttc", box(b"payl", b"")), 1.0, 2.0) == [
        Cue(1.0, 2.0, "<b>Hi</b> \u200b&amp; ho", "line:5%")
    ]
    assert wvtt.cues(box(b"vtte", b""), 1.0, 2.0) == []
    assert wvtt.cues(sample[:-4], 1.0, 2.0) == []


def test_times_of_a_sample_count_from_the_track_or_from_the_sample() -> None:
    whole = [Packet(10.0, 5.0, document('<p begin="11s" end="12s">Track</p>'))]
    own = [Packet(10.0, 5.0, document('<p begin="1s" end="2s">Sample</p>'))]
    assert sampled_text.read("ttml", whole, "en").parsed.cues == [Cue(11.0, 12.0, "Track")]
    assert sampled_text.read("ttml", own, "en").parsed.cues == [Cue(11.0, 12.0, "Sample")]


def test_a_paragraph_without_times_is_shown_as_long_as_its_sample() -> None:
    samples = [Packet(2.0, 2.0, document("<p>Shown</p>")), Packet(4.0, 1.0, document("<p>Shown</p>"))]
    assert sampled_text.read("ttml", samples, "en").parsed.cues == [Cue(2.0, 5.0, "Shown")]


def test_one_damaged_document_takes_no_other_with_it() -> None:
    samples = [Packet(0.0, 2.0, b"<tt"), Packet(2.0, 2.0, document("<p>Kept</p>"))]
    read = sampled_text.read("ttml", samples, "en").parsed
    assert ([cue.text for cue in read.cues], read.left_out) == (["Kept"], 1)
    with pytest.raises(NotSubtitles, match="well-formed"):
        sampled_text.read("ttml", samples[:1], "en")


def test_a_guessed_encoding_holds_for_the_whole_track(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Żółw mówi, że chrząszcz brzmi w trzcinie. Idź już spać, bo późno i śnieg pada."
    other = [
        Packet(2.0 + at, 1.0, document(f"<p>Już idę {at}, śpij</p>").decode().encode("cp1250")) for at in range(50)
    ]
    samples = [Packet(0.0, 2.0, document(f"<p>{words}</p>").decode().encode("cp1250")), *other]
    guesses = []
    guess = encodings._guessed
    monkeypatch.setattr(encodings, "_guessed", lambda *given: guesses.append(given) or guess(*given))
    read = sampled_text.read("ttml", [*samples, Packet(60.0, 1.0, document("<p>Też UTF-8</p>"))], "pl")
    texts = [cue.text for cue in read.parsed.cues]
    assert (texts[0], texts[1], texts[-1]) == (words, "Już idę 0, śpij", "Też UTF-8")
    assert len(guesses) == 1
    assert read.decoded.guessed
