"""What an accepted film loses is told with a code: every stream that is ignored, and every claim that is not believed."""

from pathlib import Path

import msgspec
import pytest

from marquee.documents import AudioStream, SourceDocument, SubtitleStream
from marquee.media.encode.plan_notes import plan_notes
from marquee.media.programs import binaries, process
from marquee.media.sound.audio import encode_audio
from marquee.media.source.probe import probe
from marquee.media.source.source_notes import is_shorter_than_claimed, later_stages
from tests.harness.media.films import judged, planned
from tests.harness.media.packaging import a_source, sound

PICTURE = ("-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=2")
TONE = ("-f", "lavfi", "-i", "sine=frequency=300:duration=2:sample_rate=48000")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


async def made(path: Path, *arguments: str | Path) -> Path:
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-y", *map(str, arguments), str(path)]
    await process.run(argv, timeout_seconds=60)
    return path


async def with_unknown_sound(path: Path, tag: bytes, which: int, *, tracks: int = 1) -> Path:
    """A film whose sound track number `which` (from 0) claims a format by `tag`, such as `ac-4`; its packets are AAC's."""
    await made(path, *PICTURE, *TONE, "-map", "0", *["-map", "1"] * tracks, *X264, "-c:a", "aac")
    content = bytearray(path.read_bytes())
    at = content.find(b"stsd")
    for _ in range(which + 1):
        at = content.find(b"mp4a", at + 1)
    content[at : at + 4] = tag
    described = content.find(b"esds", at)  # it names AAC, and is believed more than the tag
    content[described : described + 4] = b"free"
    path.write_bytes(content)
    return path


def codes(source: SourceDocument, *, severity: str | None = None) -> list[str]:
    return sorted(one.code for one in source.notes if severity in {None, one.severity})


@pytest.mark.parametrize(
    ("tag", "name"),
    [(b"ac-4", "AC-4"), (b"apac", "Apple Positional Audio"), (b"zzzz", "zzzz"), (b"mhm1", "MPEG-H 3D Audio")],
)
async def test_a_film_whose_only_sound_cannot_be_decoded_is_playable_but_silent(
    tag: bytes, name: str, tmp_path: Path
) -> None:
    source = await judged(await with_unknown_sound(tmp_path / "film.mp4", tag, 0))
    silent = next(one for one in source.notes if one.code == "silent")
    assert silent.severity == "serious"
    assert silent.sentence.startswith("Playable, but silent: the only sound is ")
    assert name in silent.sentence
    assert silent.sentence.endswith("which cannot be decoded.")
    unknown = next(one for one in source.notes if one.code == "sound-undecodable")
    assert unknown.stream is not None
    assert (unknown.stream.kind, unknown.stream.index) == ("audio", 1)


@pytest.mark.parametrize("unknown", [0, 1])
async def test_an_unknown_track_does_not_take_a_good_one_of_its_kind_with_it(unknown: int, tmp_path: Path) -> None:
    path = await with_unknown_sound(tmp_path / "film.mp4", b"apac", unknown, tracks=2)
    source = await judged(path)
    assert codes(source, severity="serious") == []
    assert codes(source, severity="warning") == ["sound-undecodable"]
    heard = await encode_audio(source, path, tmp_path / "audio", duration_seconds=2.0)
    assert [one.name for one in heard.renditions] == ["und-stereo"]
    assert heard.notes == [], "what `source` said is said again"


async def test_every_ignored_stream_is_named(tmp_path: Path) -> None:
    font = tmp_path / "letters.ttf"
    font.write_bytes(b"\0\1\0\0" + bytes(40))
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    cover = await made(tmp_path / "cover.png", *PICTURE, "-frames:v", "1")
    path = await made(
        tmp_path / "film.mkv",
        *(*PICTURE, *PICTURE, *TONE, "-i", words, "-map", "0", "-map", "1", "-map", "2", *X264, "-c:a", "aac"),
        *("-attach", font, "-metadata:s:t:0", "mimetype=application/x-truetype-font"),
        *("-attach", cover, "-metadata:s:t:1", "mimetype=image/png"),
    )
    source = await judged(path)
    found = {one.code: one for one in source.notes}
    assert found["attachment-left-out"].sentence == "The attached file letters.ttf is left out: players cannot show it."
    assert found["picture-left-out"].figures["index"] == 1
    assert found["picture-left-out"].severity == "warning"
    assert "cover-left-out" in found
    assert "no-sound" not in found


async def test_a_data_stream_is_named(tmp_path: Path) -> None:
    source = await judged(await made(tmp_path / "film.mov", *PICTURE, *X264, "-timecode", "01:00:00:00"))
    data = next(one for one in source.notes if one.code == "data-left-out")
    assert data.severity == "info"
    assert data.stream is not None
    assert (data.stream.kind, data.stream.index) == ("data", 1)
    assert "no-sound" in codes(source)


async def test_a_plain_film_has_no_warning(tmp_path: Path) -> None:
    colours = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    path = await made(tmp_path / "film.mp4", *PICTURE, *TONE, *X264, *colours, "-c:a", "aac")
    source = await judged(path)
    assert source.notes == []
    assert planned(source).notes == []


def text(codec: str, *, is_text: bool) -> SubtitleStream:
    return SubtitleStream(index=3, codec=codec, language="swe", text=is_text)


@pytest.mark.parametrize(
    ("codec", "code"),
    [
        ("dvd_subtitle", "subtitles-are-pictures"),
        ("hdmv_pgs_subtitle", "subtitles-are-pictures"),
        ("dvb_subtitle", "subtitles-are-pictures"),
        ("dvb_teletext", "subtitles-are-teletext"),
        ("arib_caption", "subtitles-unknown"),
        ("unknown", "subtitles-unknown"),
    ],
)
def test_subtitles_that_are_no_text_are_named(codec: str, code: str) -> None:
    source = msgspec.structs.replace(a_source(audio=[sound(1, 2)]), subtitles=[text(codec, is_text=False)])
    [told] = later_stages(source)
    assert told.code == code
    assert told.stream is not None
    assert (told.stream.kind, told.stream.index, told.stream.language) == ("subtitle", 3, "swe")
    assert "Swedish" in told.sentence


def heard(**changes: object) -> AudioStream:
    return msgspec.structs.replace(sound(1, 2, language="eng"), **changes)


@pytest.mark.parametrize(
    ("track", "code"),
    [
        (heard(), None),
        (heard(duration_seconds=1.5), None),
        (heard(duration_seconds=90.0), "sound-cut"),
        (heard(duration_seconds=0.5, start_seconds=0.1), "sound-ends-early"),
        (heard(start_seconds=200.0), "sound-after-picture"),
        (heard(channels=8), "sound-mixed-down"),
        (heard(channels=6), None),
        (heard(language="klingon!"), "language-unknown"),
        (heard(decodable=False), "sound-undecodable"),
    ],
)
def test_what_the_sound_will_lose_is_known_before_the_encode(track: AudioStream, code: str | None) -> None:
    source = msgspec.structs.replace(a_source(audio=[track, sound(2, 2, language="fra")]), duration_seconds=2.0)
    assert [one.code for one in later_stages(source)] == ([code] if code else [])


@pytest.mark.parametrize(
    ("seconds", "declared", "shorter"),
    [
        (10.0, None, False),
        (9.6, 10.0, False),
        (9.4, 10.0, True),
        (1.94, 2.0, False),
        (1.8, 2.0, True),
        (7130, 7200, False),
    ],
)
def test_a_missing_end_is_told_past_the_usual_differences(
    seconds: float, declared: float | None, shorter: bool
) -> None:
    assert is_shorter_than_claimed(seconds, declared) is shorter


async def test_what_the_ladder_leaves_out_is_told(tmp_path: Path) -> None:
    hdr = ("-vf", "format=yuv420p,setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc")
    picture = ("-f", "lavfi", "-i", "testsrc=size=2560x1440:rate=120:duration=0.1")
    path = await made(tmp_path / "film.mp4", *picture, *X264, *hdr)
    video = (await judged(path)).video
    plan = planned(await judged(path))
    assert sorted(one.code for one in plan.notes) == ["frame-rate-reduced", "hdr-converted", "picture-reduced"]
    untagged = msgspec.structs.replace(video, color_space=None, color_transfer=None, interlaced=True)
    told = {one.code: one.sentence for one in plan_notes(untagged, plan.settings.rungs, video.rate)}
    assert sorted(told) == ["colours-guessed", "fields-merged", "picture-reduced"]
    assert "no matrix is named" in told["colours-guessed"]
    assert "BT.2020" in told["colours-guessed"]


async def test_the_format_of_a_stream_has_a_name_for_people(tmp_path: Path) -> None:
    probed = await probe(await with_unknown_sound(tmp_path / "film.mp4", b"apac", 0))
    assert [one.format for one in probed.streams] == [
        "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10",
        "Apple Positional Audio (APAC)",
    ]
