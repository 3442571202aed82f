"""What a viewer hears of films with several sound tracks, by tones: the film is 300 Hz, what must not be in it 1200 Hz."""

import math
from array import array
from pathlib import Path

import pytest

from marquee.media.programs import binaries, process
from marquee.media.sound.audio import AudioMade, encode_audio
from tests.harness.media.films import judged
from tests.harness.media.packaging import ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2")
FILM = ("-f", "lavfi", "-i", "sine=300:d=2:sample_rate=48000")
OTHER = ("-f", "lavfi", "-i", "sine=1200:d=2:sample_rate=48000")
BOTH = (*PICTURE, *FILM, *OTHER, "-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-b:v", "200k")


async def heard(path: Path, folder: Path) -> tuple[AudioMade, list[str]]:
    """The renditions of a film, and the codes of all its notes on sound."""
    source = await judged(path)
    made = await encode_audio(source, path, folder, duration_seconds=2.0)
    codes = [one.code for one in [*source.notes, *made.notes] if one.stream and one.stream.kind == "audio"]
    return made, codes


async def tones(path: Path) -> list[tuple[float, float]]:
    """(strength of 300 Hz, of 1200 Hz) in each channel, as a share of full scale."""
    argv = [str(binaries.ffmpeg()), "-v", "error", "-i", str(path), "-f", "s16le", "-ar", "48000", "-ac", "2", "pipe:1"]
    samples = array("h", (await process.run(argv, timeout_seconds=60)).stdout)
    found = []
    for channel in (0, 1):
        part = samples[channel::2][24_000:48_000]
        strengths = []
        for hertz in (300, 1200):
            turns = [2 * math.pi * hertz * n / 48_000 for n in range(len(part))]
            real = sum(value * math.cos(turn) for value, turn in zip(part, turns, strict=True))
            imaginary = sum(value * math.sin(turn) for value, turn in zip(part, turns, strict=True))
            strengths.append(2 * math.hypot(real, imaginary) / len(part) / 32768)
        found.append((strengths[0], strengths[1]))
    return found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mkv", ("-disposition:a:1", "comment")),
        ("film.mkv", ("-metadata:s:a:1", "title=Kommentar")),
        ("film.mkv", ()),
        ("film.mp4", ("-disposition:a:1", "comment")),
        ("film.mp4", ("-metadata:s:a:1", "title=Director's commentary")),
        ("film.mp4", ("-metadata:s:a:1", "handler_name=Commentary")),
        ("film.mov", ("-metadata:s:a:1", "handler_name=Commentary")),
        ("film.ts", ("-c:a", "mp2", "-disposition:a:1", "visual_impaired+descriptions")),
        ("film.ts", ("-c:a", "mp2")),
    ],
)
async def test_a_version_is_never_mixed_into_the_film(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng")
    await ffmpeg(*BOTH, "-c:a", "aac", *languages, *options, tmp_path / name)
    made, codes = await heard(tmp_path / name, tmp_path)
    film, other = made.renditions
    assert (film.default, other.default) == (True, False)
    assert all(a > 0.05 and b < 0.005 for a, b in await tones(film.path)), "something else is heard in the film"
    assert all(a < 0.005 and b > 0.05 for a, b in await tones(other.path))
    assert film.label == "English"
    if options and "-disposition:a:1" not in options and "mp2" not in options:
        assert other.role == "commentary"
        assert "sound-role-guessed" in codes, "a guess is told"
    if not options or options == ("-c:a", "mp2"):
        assert "mono-kept-apart" in codes, "what was not joined is told"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mxf", ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000")),
        ("film.mov", ("-c:a", "pcm_s16le")),
        ("film.mov", ("-c:a", "pcm_s16le", "-metadata:s:a:0", "title=Audio 1", "-metadata:s:a:1", "title=Audio 2")),
        ("film.mkv", ("-c:a", "aac", "-metadata:s:a:0", "title=Left", "-metadata:s:a:1", "title=Right")),
        ("film.mp4", ("-c:a", "aac", "-metadata:s:a:0", "title=Ch 1", "-metadata:s:a:1", "title=Ch 2")),
    ],
)
async def test_channels_of_one_recording_are_left_and_right(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    await ffmpeg(*BOTH, *options, tmp_path / name)
    made, codes = await heard(tmp_path / name, tmp_path)
    (only,) = made.renditions
    left, right = await tones(only.path)
    assert left[0] > 0.05
    assert left[1] < 0.005
    assert right[0] < 0.005
    assert right[1] > 0.05
    assert "mono-joined" in codes


async def test_one_channel_with_a_place_is_as_loud_as_it_was_and_in_both_ears_if_alone(tmp_path: Path) -> None:
    placed = "[1]pan=FL|FL=c0[l];[2]pan=FR|FR=c0[r]"
    common = (*PICTURE, *FILM, *OTHER, "-filter_complex", placed, "-map", "0", "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    await ffmpeg(*common, "-map", "[l]", "-map", "[r]", tmp_path / "pair.mov")
    await ffmpeg(*PICTURE, *FILM, "-filter_complex", "[1]pan=FL|FL=c0[l]", "-map", "0", "-map", "[l]", "-c:v", "mpeg4",
                 "-c:a", "pcm_s16le", tmp_path / "alone.mov")  # fmt: skip
    pair, codes = await heard(tmp_path / "pair.mov", tmp_path / "pair")
    left, right = await tones(pair.renditions[0].path)
    assert left[0] == pytest.approx(0.125, rel=0.1)
    assert right[1] == pytest.approx(0.125, rel=0.1)
    assert "sound-format-changes" not in codes
    alone, _ = await heard(tmp_path / "alone.mov", tmp_path / "alone")
    left, right = await tones(alone.renditions[0].path)
    assert left[0] == pytest.approx(right[0], rel=0.05)
    assert left[0] > 0.05


@pytest.mark.parametrize("name", ["film.mkv", "film.mov", "film.mp4"])
async def test_a_track_that_starts_late_stays_a_track_of_its_own_and_loses_nothing(name: str, tmp_path: Path) -> None:
    late = ("-itsoffset", "1", "-f", "lavfi", "-i", "sine=1200:d=1:sample_rate=48000")
    sound = "pcm_s16le" if name == "film.mov" else "aac"
    mapped = ("-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-c:a", sound)
    await ffmpeg(*PICTURE, *FILM, *late, *mapped, tmp_path / name)
    made, codes = await heard(tmp_path / name, tmp_path)
    assert len(made.renditions) == 2
    assert "sound-cut" not in codes, "a late begin is taken for a late end"
    assert all(a > 0.05 and b < 0.005 for a, b in await tones(made.renditions[0].path))
