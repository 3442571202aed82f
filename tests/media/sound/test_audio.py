"""Encoded audio is in step with the picture after packaging and exactly as long. Damaged audio never fails the title."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.documents import AudioStream
from marquee.media.encode.join import join_rendition
from marquee.media.package.packager import package
from marquee.media.programs import binaries, process
from marquee.media.sound.arguments import FRAME_SAMPLES, packets
from marquee.media.sound.audio import encode_audio
from tests.harness.media import packaging
from tests.harness.media.packaging import a_plan, a_rung, a_source, ffmpeg, sound


async def _packets_of(path: Path) -> int:
    counted = await process.run(
        [binaries.ffprobe(), "-v", "error", "-show_entries", "packet=pts", "-of", "csv=p=0", path], timeout_seconds=30
    )
    return len(counted.stdout.split())


@pytest.mark.parametrize(
    ("container", "rate", "sound_delay", "start_seconds"),
    [
        ("mp4", "25", 0.0, 0.0),
        ("mkv", "30000/1001", 0.7, 0.0),  # the sound's track starts after the picture
        ("mkv", "50", -0.3, 0.0),  # ... before it
        ("ts", "25", 0.0, 1.4),  # the file's clock does not start at 0
    ],
)
async def test_beeps_and_flashes_coincide_in_the_packaged_title(
    container: str, rate: str, sound_delay: float, start_seconds: float, tmp_path: Path
) -> None:
    each, seconds = Fraction(rate), 7
    path = tmp_path / f"film.{container}"
    options = ["-bf", "0", "-muxdelay", "0.7"] if container == "ts" else []
    if sound_delay < 0:  # the picture is the later one
        options += ["-copyts", "-avoid_negative_ts", "make_zero"]
    await packaging.flash_and_beep(path, rate=each, seconds=seconds, sound_delay=sound_delay, options=options)
    first_picture = sorted(await packaging.decoded_brightness(path))[0][0]
    source = a_source(audio=[sound(1, 1)], start_seconds=first_picture, seekable=container != "ts")

    # The picture as the chain makes it: the title's clock starts at its first frame.
    gop = round(2 * each)
    frames = round(seconds * each)
    picture = tmp_path / "chunk.mp4"
    await ffmpeg(
        *("-i", path, "-an", "-vf", f"setpts=PTS-STARTPTS,fps={each}", "-frames:v", str(frames), "-c:v", "libx264"),
        *("-preset", "ultrafast", "-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", picture),
    )
    joined = tmp_path / "joined.mp4"
    await join_rendition([picture], joined, frame_rate=each, frames=frames)

    plan = a_plan(each, frames)
    made = await encode_audio(source, path, tmp_path / "audio", duration_seconds=plan.duration_seconds)
    streams = await package(plan, [(a_rung(), joined)], made.renditions, tmp_path / "out")
    hls = ("-allowed_extensions", "ALL", "-extension_picky", "0")
    flashes = packaging.flashes(await packaging.decoded_brightness(tmp_path / "out" / streams.video[0].playlist, *hls))
    beeps = packaging.onsets(await packaging.decoded_sound(tmp_path / "out" / streams.audio[0].playlist, *hls))
    heard = [
        beep for beep in beeps if beep > 0.5
    ]  # the first beep may be cut, or lie before the start of the sound's track
    seen = [flash for flash in flashes if flash > 0.5]
    assert len(seen) >= seconds - 2, f"flashes at {flashes}"
    assert len(heard) >= len(seen) - 1, f"beeps at {beeps}, flashes at {flashes}"
    for beep in heard:
        nearest = min(seen, key=lambda flash: abs(flash - beep))
        assert abs(nearest - beep) < float(1 / each), f"a beep at {beep:.4f} s, its flash at {nearest:.4f} s"
    assert streams.audio[0].start_seconds == streams.video[0].start_seconds == 0.0


async def test_short_sound_is_padded_and_long_sound_cut_to_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "sound.mka"
    await ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=3:sample_rate=44100", "-c:a", "libmp3lame", path)
    for seconds in (10.01, 2.002):
        made = await encode_audio(a_source(audio=[sound(0)]), path, tmp_path / f"{seconds}", duration_seconds=seconds)
        counted = await _packets_of(made.renditions[0].path)
        assert counted == packets(seconds), f"{counted} packets for {seconds} s"
        assert (counted - 1) * FRAME_SAMPLES / 48_000 < seconds <= counted * FRAME_SAMPLES / 48_000 + 1e-6


async def test_gaps_in_the_sound_stay_gaps(tmp_path: Path) -> None:
    """Sound after a gap of one second must not be heard one second early."""
    path = tmp_path / "holes.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.1):s=48000:d=6"),
        *("-af", "aselect='not(between(t,1.5,2.5))'", "-c:a", "pcm_s16le", path),
    )
    made = await encode_audio(a_source(audio=[sound(0, 1)]), path, tmp_path / "audio", duration_seconds=6.0)
    beeps = packaging.onsets(await packaging.decoded_sound(made.renditions[0].path))
    expected = [1.0, 3.0, 4.0, 5.0]  # the beep at 2 s is in the gap; the first is partly cut
    heard = [beep for beep in beeps if beep > 0.5]
    assert heard == pytest.approx(expected, abs=0.005), f"beeps at {beeps}"


async def test_surround_has_both_layouts_and_keeps_the_dialogue_in_stereo(tmp_path: Path) -> None:
    path = tmp_path / "surround.mkv"
    silent = "|".join(["0"] * 2 + ["0.3*sin(2*PI*1000*t)"] + ["0"] * 3)  # only the centre channel has sound
    await ffmpeg("-f", "lavfi", "-i", f"aevalsrc={silent}:s=48000:c=5.1:d=2", "-c:a", "ac3", "-b:a", "448k", path)
    made = await encode_audio(a_source(audio=[sound(0, 6)]), path, tmp_path / "audio", duration_seconds=2.0)
    assert [(one.name, one.channels) for one in made.renditions] == [("und-stereo", 2), ("und-surround", 6)]
    loudest = max(abs(value) for value in packaging.array("h", await packaging.decoded_sound(made.renditions[0].path)))
    assert loudest > 0.15 * 32768, "the centre channel is lost in the stereo mix"


async def test_a_track_that_cannot_be_decoded_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "sine=duration=2", "-f", "lavfi", "-i", "sine=frequency=300:duration=2"),
        *("-map", "0", "-map", "1", "-c:a:0", "aac", "-c:a:1", "ac3", "-bsf:a:1", "noise=amount=1", path),
    )
    listed: list[AudioStream] = [sound(0, 1, title="Good"), sound(1, 1, title="Bad"), sound(7, 2, title="Absent")]
    made = await encode_audio(a_source(audio=listed), path, tmp_path / "audio", duration_seconds=2.0)
    names = {one.label for one in made.renditions}
    assert "Good" in names, f"the good track went with the bad one: {made.notes}"
    assert "Absent" not in names
    assert any("Absent is left out" in note.sentence for note in made.notes), made.notes
    assert any("Bad" in note.sentence for note in made.notes), made.notes


async def test_a_film_without_sound_has_no_audio(tmp_path: Path) -> None:
    made = await encode_audio(a_source(), tmp_path / "none.mp4", tmp_path / "audio", duration_seconds=2.0)
    assert made.renditions == made.notes == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dev/svt_8_mono_tracks.mp4", {"und-stereo", "und-surround"}),
        ("dev/amr.3gp", {"en-stereo"}),
        ("dev/dts_audio.ts", {"und-stereo"}),
        ("fixtures/test_wmv.wmv", {"und-stereo"}),
        ("fixtures/test_720p_ps.mpg", {"und-stereo"}),
        ("derived/d_two_audio_two_subs.mkv", {"en-stereo", "fr-stereo", "fr-surround"}),
        ("broken/b_bitrot_mdat.mp4", {"und-stereo"}),
    ],
)
async def test_real_codecs_and_layouts(name: str, expected: set[str], shared_media: Path, tmp_path: Path) -> None:
    from marquee.media.source.probe import probe

    probed = await probe(shared_media / name)
    streams = [
        sound(one.index, one.channels, language=one.language, start_seconds=one.start_seconds or 0.0)
        for one in probed.of_kind("audio")
    ]
    source = a_source(audio=streams, start_seconds=probed.of_kind("video")[0].start_seconds or 0.0)
    made = await encode_audio(source, shared_media / name, tmp_path, duration_seconds=4.0)
    assert sorted(one.name for one in made.renditions) == sorted(expected), made.notes
    for one in made.renditions:
        assert await _packets_of(one.path) == packets(4.0), f"{one.name} is not as long as the picture"
    if name.startswith("broken"):
        assert any("damaged" in note.sentence for note in made.notes), "damaged sound was not mentioned"


@pytest.mark.parametrize("bad", [1, 2])
async def test_a_half_that_cannot_be_decoded_does_not_take_the_other_half_with_it(bad: int, tmp_path: Path) -> None:
    """Two mono tracks that look like left and right."""
    path = tmp_path / "halves.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "sine=frequency=1000:duration=2", "-f", "lavfi", "-i", "color=size=64x64:duration=2"),
        *(
            "-map",
            "1",
            "-map",
            "0",
            "-map",
            "0",
            "-c:v",
            "libx264",
            "-c:a",
            "ac3",
            f"-bsf:a:{bad - 1}",
            "noise=amount=1",
            path,
        ),
    )
    source = a_source(audio=[sound(1, 1), sound(2, 1)])
    made = await encode_audio(source, path, tmp_path / "audio", duration_seconds=2.0)
    assert [one.name for one in made.renditions] == ["und-stereo"]
    found = packaging.array("h", await packaging.decoded_sound(made.renditions[0].path))
    left, right = (max(abs(value) for value in found[ear::2]) for ear in (0, 1))
    assert min(left, right) > 0.05 * 32768, f"one ear is silent: {left} left, {right} right"
    told = [one for one in made.notes if one.code == "sound-undecodable"]
    assert [one.stream.index for one in told if one.stream] == [bad], made.notes


async def test_a_silent_channel_of_surround_leaves_the_others_in_their_places(tmp_path: Path) -> None:
    path = tmp_path / "six.mkv"
    tones = [argument for _ in range(6) for argument in ("-f", "lavfi", "-i", "sine=frequency=1000:duration=2")]
    maps = [argument for index in range(6) for argument in ("-map", str(index))]
    await ffmpeg(*tones, *maps, "-c:a", "ac3", "-bsf:a:1", "noise=amount=1", path)
    made = await encode_audio(a_source(audio=[sound(i, 1) for i in range(6)]), path, tmp_path, duration_seconds=2.0)
    assert [one.name for one in made.renditions] == ["und-stereo", "und-surround"], made.notes
    assert [one.figures.get("track") for one in made.notes if one.code == "sound-undecodable"] == ["1"]


async def test_a_half_that_starts_after_the_picture_does_not_take_the_other_half_with_it(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    await ffmpeg(
        "-f", "lavfi", "-i", "sine=duration=2", "-f", "lavfi", "-i", "sine=duration=2", "-map", "0", "-map", "1", path
    )
    source = a_source(audio=[sound(0, 1), sound(1, 1, start_seconds=500.0)])
    made = await encode_audio(source, path, tmp_path / "audio", duration_seconds=2.0)
    assert [one.name for one in made.renditions] == ["und-stereo"]
    assert [one.code for one in made.notes] == ["sound-after-picture"]
