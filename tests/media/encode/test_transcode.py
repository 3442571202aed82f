"""Chunks: exact at every seam, with identical settings, and counted. A failure carries ffmpeg's own words."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import ffmpeg
import msgspec
import pytest

from marquee.documents import Chunk, ChunkJob, SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.sample_table import sample_count
from marquee.media.encode.transcode import chunk_picture, encoder_versions, transcode_chunk
from marquee.media.programs import binaries, process
from marquee.platform.project import FIXTURES
from tests.harness.media.films import jobs_of_one_gop, judged, made, planned

SMALL = {"s": "96x64", "an": None}


async def pictures(job: ChunkJob, film: Path, *, margin_seconds: float | None) -> list[str]:
    """The checksums of a chunk's frames before they are encoded. `margin_seconds`: see `transcode.chunk_picture`."""
    output = ffmpeg.output(
        chunk_picture(job, film, margin_seconds=margin_seconds), "-", format="framemd5", fps_mode="passthrough"
    )
    argv = output.global_args("-nostdin", "-loglevel", "error").compile(cmd=str(binaries.picture_ffmpeg()))
    found = await process.run(argv, timeout_seconds=120)
    return [line.split(",")[-1].strip() for line in found.stdout.decode().splitlines() if not line.startswith("#")]


async def check_seams(film: Path, source: SourceDocument) -> None:
    """Compare every chunk of one GOP, decoded as a worker does, with one decode of the whole film."""
    found = planned(source)
    jobs = jobs_of_one_gop(found, source)
    assert len(jobs) > 2, "too short to have seams"
    whole = msgspec.structs.replace(jobs[0], chunk=Chunk(index=0, start_frame=0, frames=found.total_frames))
    expected = await pictures(whole, film, margin_seconds=None)
    assert len(expected) == found.total_frames, "the whole film does not have the frames that were planned"
    assert len(set(expected)) > 20, "the film hardly moves: seams would not be seen"
    for job in jobs:
        start, end = job.chunk.start_frame, job.chunk.start_frame + job.chunk.frames
        seen = await pictures(job, film, margin_seconds=1.0 if source.seekable and start > 0 else None)
        assert seen == expected[start:end], f"frames {start} to {end} differ from a decode of the whole film"


SEEKABLE: dict[str, dict[str, object]] = {
    "open_gop.mp4": {"vcodec": "libx264", "x264-params": "open-gop=1:keyint=60:bframes=5"},
    "fragments.mp4": {"vcodec": "libx264", "g": 50, "movflags": "frag_keyframe+empty_moov"},
    "hevc.mkv": {"vcodec": "libx265", "x265-params": "open-gop=1:keyint=60:bframes=4:log-level=none"},
    "vp8.webm": {"vcodec": "libvpx", "g": 100, "auto-alt-ref": 1, "lag-in-frames": 16, "deadline": "realtime"},
    "ntsc.mkv": {"vcodec": "libx264", "r": "24000/1001"},
    "variable.mp4": {
        "vcodec": "libx264",
        "vf": "select=if(between(t\\,3\\,7)\\,not(mod(n\\,9))\\,1)",
        "fps_mode": "vfr",
    },
    "interlaced.mkv": {"vcodec": "libx264", "flags": "+ildct+ilme", "vf": "tinterlace=interleave_top,fieldorder=tff"},
}
UNSEEKABLE: dict[str, dict[str, object]] = {
    "broadcast.ts": {"vcodec": "mpeg2video", "bf": 2, "g": 15},
    "program.mpg": {"vcodec": "mpeg2video", "bf": 2, "g": 15},
    "old.avi": {"vcodec": "mpeg4", "bf": 2, "g": 100},
}


@pytest.mark.parametrize("name", [*SEEKABLE, *UNSEEKABLE])
async def test_seams_are_exact(tmp_path: Path, name: str) -> None:
    options = {**SEEKABLE, **UNSEEKABLE}[name]
    film = await made(tmp_path / name, str(FIXTURES / "bikes_640x272_silent.mp4"), **{**SMALL, **options})
    source = await judged(film)
    assert source.seekable is (name in SEEKABLE)
    await check_seams(film, source)


async def codec_headers(path: Path) -> bytes:
    """The content of the avcC box: profile, level, SPS and PPS."""
    data = path.read_bytes()
    at = data.index(b"avcC")
    return data[at : at + int.from_bytes(data[at - 4 : at], "big") - 4]


async def packets(path: Path) -> Sequence[tuple[float, str]]:
    argv = [binaries.ffprobe(), "-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", path]
    lines = (await process.run(argv, timeout_seconds=30)).stdout.decode().splitlines()
    return sorted((float(line.split(",")[0]), line.split(",")[1]) for line in lines)


async def test_chunks_join_and_are_what_was_planned(tmp_path: Path) -> None:
    film = FIXTURES / "bikes_640x272_silent.mp4"
    source = await judged(film)
    found = planned(source)
    headers: dict[str, set[bytes]] = {}
    for job in chunk_jobs(found, source):
        folder = tmp_path / str(job.chunk.index)
        folder.mkdir()
        reports: list[process.Progress] = []
        encoded = await transcode_chunk(job, film, folder, memory_bytes=4 * 1024**3, on_progress=reports.append)
        assert encoded.cpu_seconds > 0
        assert reports[-1].frame == job.chunk.frames
        assert [part.rung for part in encoded.parts] == [rung.name for rung in found.settings.rungs]
        for part in encoded.parts:
            shown = await packets(part.path)
            assert part.frames == len(shown) == job.chunk.frames
            gop = found.settings.gop_frames
            keys = [number for number, (_, flags) in enumerate(shown) if "K" in flags]
            assert keys == list(range(0, job.chunk.frames, gop)), "keyframes are not on the GOP grid"
            for number, (seconds, _) in enumerate(shown):
                assert seconds == pytest.approx(float(number / Fraction(found.settings.frame_rate)), abs=1e-5)
            headers.setdefault(part.rung, set()).add(await codec_headers(part.path))
    assert all(len(seen) == 1 for seen in headers.values()), "chunks have different SPS or PPS: they cannot be joined"


async def test_the_same_chunk_twice_is_the_same_file(tmp_path: Path) -> None:
    film = FIXTURES / "test_sar.mp4"
    source = await judged(film)
    (job,) = chunk_jobs(planned(source), source)
    made_files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        encoded = await transcode_chunk(job, film, tmp_path / name)
        made_files.append([part.path.read_bytes() for part in encoded.parts])
    assert made_files[0] == made_files[1]


async def shown(path: Path) -> dict[str, str]:
    entries = (
        "stream=width,height,pix_fmt,color_range,color_space,color_transfer,color_primaries,sample_aspect_ratio,profile"
    )
    argv = [binaries.ffprobe(), "-v", "error", "-show_entries", entries, "-of", "default=nw=1", path]
    lines = (await process.run(argv, timeout_seconds=30)).stdout.decode().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(
    ("name", "size", "space"),
    [
        ("derived/d_interlaced_576i_tff.ts", ("1024", "576"), "bt470bg"),
        ("derived/d_odd_427x241_h264_444.mp4", ("416", "234"), "smpte170m"),
        ("dev/phone_portrait.mov", ("320", "568"), "bt709"),
        ("dev/rails_rotated_hdr_video.mov", ("1080", "1920"), "bt709"),
        ("dev/hdr10_av1_vertical.mp4", ("720", "1280"), "bt709"),
        ("dev/sar_2x1.mp4", ("1280", "360"), "smpte170m"),
        ("broken/bad_video_sample.mp4", ("50", "50"), "smpte170m"),
    ],
)
async def test_every_kind_of_picture_comes_out_right(
    shared_media: Path, tmp_path: Path, name: str, size: tuple[str, str], space: str
) -> None:
    film = shared_media / name
    source = await judged(film)
    job = chunk_jobs(planned(source), source)[0]
    short = msgspec.structs.replace(job, chunk=Chunk(index=0, start_frame=0, frames=min(12, job.chunk.frames)))
    top = (await transcode_chunk(short, film, tmp_path)).parts[-1].path
    found = await shown(top)
    assert (found["width"], found["height"]) == size
    assert (found["pix_fmt"], found["color_range"], found["color_space"]) == ("yuv420p", "tv", space)
    assert found["sample_aspect_ratio"] in {"1:1", "N/A"}


async def test_a_portrait_phone_film_stands_upright(tmp_path: Path) -> None:
    """A film whose top half is white, stored rotated: the rendition's top half must be white."""
    lying = await made(
        tmp_path / "lying.mp4",
        "color=black:size=64x128:rate=25:duration=1,drawbox=h=64:color=white:t=fill,transpose=cclock",
        vcodec="libx264",
    )
    film = tmp_path / "film.mp4"
    argv = [binaries.picture_ffmpeg(), "-v", "error", "-display_rotation", "-90", "-i", lying, "-c", "copy", film]
    await process.run(argv, timeout_seconds=30)
    source = await judged(film)
    assert source.video.rotation == 90
    (job,) = chunk_jobs(planned(source), source)
    part = (await transcode_chunk(job, film, tmp_path)).parts[-1]
    flags = ["-vf", "scale=2:2:flags=area,format=gray", "-frames:v", "1", "-f", "rawvideo", "-"]
    raw = await process.run([binaries.picture_ffmpeg(), "-v", "error", "-i", part.path, *flags], timeout_seconds=30)
    top, _, bottom, _ = raw.stdout
    assert top > 200 > 60 > bottom, f"the picture is not upright: top {top}, bottom {bottom}"


async def test_a_poison_chunk_fails_with_ffmpegs_own_words(tmp_path: Path) -> None:
    film = FIXTURES / "bikes_640x272_silent.mp4"
    source = await judged(film)
    job = chunk_jobs(planned(source), source)[0]
    poison = tmp_path / "poison.mp4"
    content = bytearray(film.read_bytes())
    content[:64] = bytes(64)
    poison.write_bytes(content)
    with pytest.raises(ProcessFailed, match=r"moov atom not found|Invalid data found"):
        await transcode_chunk(job, poison, tmp_path)


async def test_missing_frames_are_noticed(tmp_path: Path) -> None:
    """A worker with a truncated copy of the source must not return a short chunk."""
    film = FIXTURES / "bikes_640x272_silent.mp4"
    source = await judged(film)
    job = chunk_jobs(planned(source), source)[0]
    beyond = msgspec.structs.replace(job, chunk=Chunk(index=0, start_frame=0, frames=400))
    with pytest.raises(ProcessFailed, match="has 252 frames instead of 400"):
        await transcode_chunk(beyond, film, tmp_path)


async def test_the_encoder_says_its_version() -> None:
    assert (await encoder_versions(["h264"]))["h264"].startswith("libx264 core 1")


def test_a_file_without_a_sample_table_has_no_frames(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    assert sample_count(tmp_path / "x.mp4") == 0


async def test_an_encoder_whose_version_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan without the version would share its chunks with every later encoder."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ffmpeg version 9.0\n")
    program.chmod(0o755)
    monkeypatch.setattr(binaries, "picture_ffmpeg", lambda: program)
    with pytest.raises(ProcessFailed, match="version of libx265 cannot be read"):
        await encoder_versions(["hevc"])
