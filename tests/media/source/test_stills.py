"""A picture that stands still is shown as long as its sound lasts: one picture, a cover, slides, in every container."""

import base64
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from marquee.documents import SourceDocument
from marquee.errors import SourceRefused
from marquee.media.programs import binaries, process
from tests.harness.media import watched
from tests.harness.media.films import judged, planned
from tests.harness.media.whole import ingested

SECONDS = 9.5
ONE = "testsrc2=size=160x90:rate=25:duration=0.04"
TONE = f"sine=frequency=300:duration={SECONDS}:sample_rate=48000"
SLIDES = "color=red:size=64x64:rate=1:duration=1[r];color=blue:size=64x64:rate=1:duration=1[b];[r][b]concat"
UNEQUAL = "setpts=if(N\\,11.3\\,0)/TB"
"""Red from 0 s on, blue from 11.3 s on."""


async def run(folder: Path, *arguments: str) -> Path:
    """Run ffmpeg in `folder`. The last argument is the name of the file that it makes."""
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-y", *arguments]
    await process.run(argv, timeout_seconds=60, cwd=folder)
    return folder / arguments[-1]


async def one_picture(folder: Path, name: str, picture: str, sound: str, *muxer: str) -> Path:
    """A film of one picture (in the codec `picture`) and a tone (in the codec `sound`), which begins with the picture."""
    await run(folder, "-f", "lavfi", "-i", ONE, "-c:v", picture, "-pix_fmt", "yuv420p", "-frames:v", "1", "picture.nut")
    return await run(
        folder,
        "-i",
        "picture.nut",
        "-f",
        "lavfi",
        "-i",
        TONE,
        "-c:v",
        "copy",
        "-c:a",
        sound,
        "-b:a",
        "32k",
        *muxer,
        name,
    )


async def cover(folder: Path, name: str, sound: str, *, picture: str = "png", options: tuple[str, ...] = ()) -> Path:
    """A tone with a cover."""
    await run(folder, "-f", "lavfi", "-i", ONE, "-frames:v", "1", f"cover.{picture}")
    given = ("-f", "lavfi", "-i", TONE, "-i", f"cover.{picture}", "-map", "0", "-map", "1", "-c:v", "copy")
    return await run(folder, *given, "-disposition:v", "attached_pic", "-c:a", sound, *options, name)


async def attached(folder: Path, name: str, kind: str) -> Path:
    """A tone in Matroska with an attached picture."""
    await run(folder, "-f", "lavfi", "-i", ONE, "-frames:v", "1", "cover.jpg")
    described = ("-metadata:s:t", f"mimetype={kind}", "-metadata:s:t", "filename=cover.jpg")
    return await run(folder, "-f", "lavfi", "-i", TONE, "-attach", "cover.jpg", *described, "-c:a", "libopus", name)


async def vorbis_cover(folder: Path, name: str, sound: str) -> Path:
    """A tone in Ogg, whose cover is a FLAC picture block in a comment."""
    await run(folder, "-f", "lavfi", "-i", ONE, "-frames:v", "1", "cover.png")
    content, kind = (folder / "cover.png").read_bytes(), b"image/png"
    block = struct.pack(">II", 3, len(kind)) + kind + struct.pack(">IIIIII", 0, 160, 90, 24, 0, len(content)) + content
    comment = f"METADATA_BLOCK_PICTURE={base64.b64encode(block).decode()}"
    return await run(folder, "-f", "lavfi", "-i", TONE, "-c:a", sound, "-metadata", comment, name)


Maker = Callable[[Path], Awaitable[Path]]
PICTURES: dict[str, Maker] = {
    "mp4": lambda folder: one_picture(folder, "film.mp4", "libx264", "aac"),
    "mov": lambda folder: one_picture(folder, "film.mov", "mjpeg", "aac"),
    "mkv": lambda folder: one_picture(folder, "film.mkv", "libx264", "aac"),
    "mkv without tags": lambda folder: one_picture(
        folder, "film.mkv", "libx264", "aac", "-live", "0", "-fflags", "+bitexact", "-map_metadata", "-1"
    ),
    "webm": lambda folder: one_picture(folder, "film.webm", "libvpx-vp9", "libopus"),
    "avi": lambda folder: one_picture(folder, "film.avi", "mpeg4", "libmp3lame"),
    "ts": lambda folder: one_picture(folder, "film.ts", "libx264", "aac"),
    "mpg": lambda folder: one_picture(folder, "film.mpg", "mpeg2video", "mp2"),
    "flv": lambda folder: one_picture(folder, "film.flv", "flv", "aac"),
}
COVERS: dict[str, Maker] = {
    "m4a": lambda folder: cover(folder, "sound.m4a", "aac", options=("-b:a", "32k")),
    "m4a with JPEG": lambda folder: cover(folder, "sound.m4a", "aac", picture="jpg"),
    "mp3": lambda folder: cover(folder, "sound.mp3", "libmp3lame"),
    "flac": lambda folder: cover(folder, "sound.flac", "flac"),
    "aiff": lambda folder: cover(folder, "sound.aiff", "pcm_s16be", options=("-write_id3v2", "1", "-ar", "8000")),
    "ogg": lambda folder: vorbis_cover(folder, "sound.ogg", "libvorbis"),
    "opus": lambda folder: vorbis_cover(folder, "sound.opus", "libopus"),
    "mka": lambda folder: attached(folder, "sound.mka", "image/jpeg"),
}


def codes(source: SourceDocument) -> set[str]:
    return {one.code for one in source.notes}


def check_length(source: SourceDocument, seconds: float = SECONDS) -> None:
    assert source.duration_seconds == pytest.approx(seconds, abs=0.1)
    plan = planned(source)
    assert plan.settings.frame_rate == "5/1", "a picture that stands still needs few frames"
    assert plan.duration_seconds == pytest.approx(seconds, abs=0.2)
    assert plan.settings.segment_frames == 30


@pytest.mark.parametrize("kind", PICTURES)
async def test_one_picture_is_shown_as_long_as_its_sound(kind: str, tmp_path: Path) -> None:
    source = await judged(await PICTURES[kind](tmp_path))
    check_length(source)
    assert "picture-held" in codes(source)
    assert not codes(source) & {"sound-cut", "sound-ends-early", "picture-ends-early", "sound-after-picture"}


@pytest.mark.parametrize("kind", COVERS)
async def test_sound_with_a_cover_is_shown_by_its_cover(kind: str, tmp_path: Path) -> None:
    source = await judged(await COVERS[kind](tmp_path))
    check_length(source)
    assert "cover-shown" in codes(source)
    assert (source.video.display_width, source.video.display_height) == (160, 90)


async def test_the_front_cover_is_shown_of_several(tmp_path: Path) -> None:
    for name, colour in (("back", "red:size=200x200"), ("front", "blue:size=100x100")):
        await run(tmp_path, "-f", "lavfi", "-i", f"color={colour}", "-frames:v", "1", f"{name}.png")
    comments = ("-metadata:s:v:0", "comment=Cover (back)", "-metadata:s:v:1", "comment=Cover (front)")
    given = ("-f", "lavfi", "-i", TONE, "-i", "back.png", "-i", "front.png", "-map", "0", "-map", "1", "-map", "2")
    path = await run(
        tmp_path, *given, "-c:v", "copy", "-disposition:v", "attached_pic", *comments, "-c:a", "libmp3lame", "sound.mp3"
    )
    source = await judged(path)
    assert source.video.width == 100
    assert {"cover-shown", "cover-left-out"} <= codes(source)


@pytest.mark.parametrize(("picture_late", "sound_late", "seconds"), [("0", "2", 11.5), ("3", "0", 9.5)])
async def test_a_single_picture_is_shown_from_the_first_sound_on(
    picture_late: str, sound_late: str, seconds: float, tmp_path: Path
) -> None:
    picture = await one_picture(tmp_path, "film.mp4", "libx264", "aac")
    given = ("-itsoffset", picture_late, "-i", picture.name, "-itsoffset", sound_late, "-i", picture.name)
    path = await run(tmp_path, *given, "-map", "0:v", "-map", "1:a", "-c", "copy", "late.mp4")
    check_length(await judged(path), seconds)


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
async def test_a_still_picture_whose_sound_is_cut_off_is_refused(kind: str, tmp_path: Path) -> None:
    path = await one_picture(
        tmp_path, f"film.{kind}", "libx264", "aac", *("-movflags", "faststart")[: 2 * (kind == "mp4")]
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(SourceRefused, match="cut off: it should last"):
        await judged(path)


async def test_sound_without_a_picture_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = await run(tmp_path, "-f", "lavfi", "-i", TONE, "sound.mp3")
    with pytest.raises(SourceRefused, match="only sound and no picture: add a cover picture"):
        await judged(path)


async def test_a_silent_picture_lasts_as_long_as_its_file_says(tmp_path: Path) -> None:
    await run(tmp_path, "-f", "lavfi", "-i", ONE, "-frames:v", "1", "cover.png")
    given = ("-loop", "1", "-framerate", "1/40", "-i", "cover.png", "-t", "40")
    source = await judged(await run(tmp_path, *given, "-c:v", "libx264", "-pix_fmt", "yuv420p", "film.mp4"))
    check_length(source, 40.0)


@pytest.mark.parametrize("name", ["slides.mp4", "slides.mkv", "slides.ts"])
async def test_slides_change_at_their_times_and_the_last_one_stays_until_the_sound_ends(
    name: str, tmp_path: Path
) -> None:
    tone = f"sine=frequency=300:duration={30}:sample_rate=48000"
    options = ("-vf", UNEQUAL, "-fps_mode", "vfr", "-enc_time_base", "1/1000", "-pix_fmt", "yuv420p")
    path = await run(
        tmp_path,
        "-f",
        "lavfi",
        "-i",
        SLIDES,
        "-f",
        "lavfi",
        "-i",
        tone,
        *options,
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        name,
    )
    made = await ingested(path, tmp_path / "made", scored=False)
    check_length(made.source, 30.0)
    assert made.findings == []
    (top,) = await watched.variants(made.folder)
    shown = await colours(top.path)
    assert len(shown) == made.plan.total_frames
    changed = int(np.argmax(shown[:, 2] > shown[:, 0])) / 5
    assert changed == pytest.approx(11.3, abs=0.11)
    assert shown[-1, 2] > 200 > 50 > shown[-1, 0], "the last slide is not shown at the end"


async def colours(path: Path) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """The mean red, green and blue of each frame."""
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-i", str(path), "-vf", "scale=1:1,format=rgb24"]
    found = await process.run([*argv, "-fps_mode", "passthrough", "-f", "rawvideo", "-"], timeout_seconds=60)
    return np.frombuffer(found.stdout, np.uint8).reshape(-1, 3)


async def test_a_podcast_goes_through_the_whole_chain(tmp_path: Path) -> None:
    path = await COVERS["mp3"](tmp_path)
    made = await ingested(path, tmp_path / "made")
    assert made.findings == []
    (rung,) = made.streams.video
    for track in (rung, *made.streams.audio):
        assert sum(track.segment_seconds) == pytest.approx(SECONDS, abs=0.2)
    assert made.quality[0].vmaf_mean > 90
    assert rung.average_bps < 60_000, "a still picture costs few bits"
    (top,) = await watched.variants(made.folder)
    assert top.frames == made.plan.total_frames
    assert await watched.undecodable(top.path) == []
