"""Every real file is accepted as what it is, or refused with the reason, whatever its name and header claim."""

import random
from pathlib import Path
from typing import NamedTuple

import pytest

from marquee.documents import SourceDocument
from marquee.errors import SourceRefused
from marquee.media import binaries, process
from marquee.media.judge import SourceLimits, judge
from tests.media.films import FIXTURES, SHARED, judged, made


class Accepted(NamedTuple):
    """Display size, output frames at the frame rate, and the rate."""

    width: int
    height: int
    seconds: float
    rate: str


BROKEN: dict[str, str | Accepted] = {
    "b_bitrot_mdat.mp4": r"too damaged: 5\d of 192 frames",
    "b_faststart_half_mdat.mp4": r"cut off: it should last 8\.0 seconds, and only 3\.0 \(38 %\)",
    "b_header_64_random.mp4": "not a film in any format that this platform knows, or its beginning is damaged",
    "b_moov_missing_truncated.mp4": r"index \(moov\) is missing",
    "b_mvhd_duration_huge.mp4": Accepted(640, 360, 8.0, "24/1"),
    "b_playlist_ssrf_renamed.mp4": "a playlist that points to other files, not a film",
    "b_png_renamed.mp4": r"a picture \(PNG\), not a film",
    "b_random_bytes.mkv": "not a film in any format",
    "b_stsz_count_huge.mp4": r"index \(moov\) is damaged",
    "b_text_renamed.mp4": "text, not a film",
    "b_tkhd_60000px.mp4": Accepted(640, 360, 8.0, "24/1"),
    "b_truncated.mkv": r"cut off: it should last 15\.0 seconds, and only 2\.6",
    # Nothing in a transport stream says how long it should be; what is there decodes, but for its last frame.
    "b_truncated_mid_packet.ts": Accepted(1024, 576, 1.48, "25/1"),
    "b_zero_byte.mp4": "empty",
    "bad_video_sample.mp4": Accepted(50, 50, 1.0, "15/1"),
    "moov_missing_streamio.mp4": r"index \(moov\) is missing",
    "ogg_named_mkv.mkv": Accepted(480, 270, 5.0, "30/1"),
}
"""The expected outcome of every file of the shared folder of broken films."""

ONLY_SOUND = {
    "d_audio_only.m4a",
    "rails_video_without_video_stream.mp4",
    "svt_audio_only_stereo_51.mp4",
    "two_aac51_tracks.mp4",
}

KNOWN_DAMAGE = {"bbb_mpeg2_1080p.ts": 2}
"""Frames that are missing in a real file: this one has a hole of two frames after its first picture."""

REAL: dict[str, Accepted] = {
    "bbb_720p_5.1aac.mp4": Accepted(1280, 720, 5.28, "25/1"),
    "bikes_640x272_silent.mp4": Accepted(640, 272, 10.0, "25/1"),
    "deer_1080p_1s.mp4": Accepted(1920, 1080, 0.959, "24000/1001"),
    "earth_480x270.avi": Accepted(480, 270, 5.033, "30/1"),
    "screen_1080p.mp4": Accepted(1920, 1080, 6.967, "30/1"),
    "test_720p_ps.mpg": Accepted(1280, 720, 1.001, "30000/1001"),
    "test_hevc10.mkv": Accepted(654, 480, 0.967, "30000/1001"),
    "test_sar.mp4": Accepted(654, 480, 0.968, "30000/1001"),
    "test_vp6.flv": Accepted(320, 240, 1.0, "30/1"),
    "test_wmv.wmv": Accepted(360, 264, 1.0, "15/1"),
    "amr.3gp": Accepted(176, 144, 4.933, "15/1"),
    "bbb_rot90_5.1.mp4": Accepted(1080, 1920, 1.875, "24/1"),
    "cover_art.mp4": Accepted(640, 360, 2.0, "30/1"),
    "hdr10_av1_vertical.mp4": Accepted(720, 1280, 4.238, "30000/1001"),
    "hdr10_hevc_1080p.mp4": Accepted(1920, 1080, 1.017, "30/1"),
    "hlg_rot90_editlist.mp4": Accepted(1080, 1920, 2.568, "30000/1001"),
    "odd_161x121_vp9.webm": Accepted(160, 120, 1.001, "30000/1001"),
    "phone_portrait.mov": Accepted(320, 568, 2.068, "30000/1001"),
    "portrait.ts": Accepted(720, 1280, 1.0, "30/1"),
    "portrait_4k60.mp4": Accepted(2160, 3840, 0.3, "60/1"),
    "rails_rotated_video.mp4": Accepted(480, 640, 5.002, "8797/1000"),
    "rails_video_with_rectangular_samples.mp4": Accepted(1920, 1080, 5.229, "8797/1000"),
    "sar_2x1.mp4": Accepted(1280, 360, 5.0, "30/1"),
    "subs_pgs.mkv": Accepted(1080, 720, 0.049, "600/1"),
    "vfr_screen_3026x1386.mp4": Accepted(3026, 1386, 8.726, "30/1"),
    "vfr_vertical_374x666.mp4": Accepted(374, 666, 1.753, "24/1"),
    "webcam.flv": Accepted(640, 360, 18.966, "30/1"),
    "d_interlaced_576i_tff.ts": Accepted(1024, 576, 12.0, "25/1"),
    "d_odd_427x241_h264_444.mp4": Accepted(428, 240, 4.0, "24/1"),
    "d_short_audio.mp4": Accepted(426, 240, 10.0, "24/1"),
    "d_vertical_hdr10_hevc.mp4": Accepted(1076, 1920, 4.0, "24/1"),
    "d_vfr_24_8.mp4": Accepted(1280, 720, 12.0, "24/1"),
}


def shared_files(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((SHARED / folder).glob("*"))
        if path.suffix not in {".vtt", ".srt"}
    ]


def check(source: SourceDocument, expected: Accepted) -> None:
    video = source.video
    assert (video.display_width, video.display_height) == expected[:2], "the picture is not shown as it should be"
    assert video.frame_rate == expected.rate
    assert source.duration_seconds == pytest.approx(expected.seconds, abs=0.002)


@pytest.mark.parametrize("name", BROKEN)
async def test_each_broken_file_ends_as_expected(shared_media: Path, name: str) -> None:
    expected = BROKEN[name]
    if isinstance(expected, Accepted):
        check(await judged(shared_media / "broken" / name), expected)
    else:
        with pytest.raises(SourceRefused, match=expected):
            await judged(shared_media / "broken" / name)


def test_the_table_of_broken_files_is_complete(shared_media: Path) -> None:
    assert {path.name for path in (shared_media / "broken").iterdir()} == set(BROKEN)


@pytest.mark.parametrize("path", shared_files("dev", "derived"), ids=lambda path: path.name)
async def test_every_shared_film_is_accepted_as_it_is(path: Path) -> None:
    if path.name in ONLY_SOUND:
        with pytest.raises(SourceRefused, match="only sound"):
            await judged(path)
        return
    source = await judged(path)
    assert source.frames_damaged == KNOWN_DAMAGE.get(path.name, 0)
    if path.name in REAL:
        check(source, REAL[path.name])


@pytest.mark.parametrize("name", sorted(name for name in REAL if (FIXTURES / name).exists()))
async def test_every_fixture_is_accepted_as_it_is(name: str) -> None:
    check(await judged(FIXTURES / name), REAL[name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("broken_header_only.mp4", "cut off after its header"), ("broken_sample.mkv", r"header \(Matroska\) is damaged")],
)
async def test_broken_fixtures_are_refused(name: str, reason: str) -> None:
    with pytest.raises(SourceRefused, match=reason):
        await judged(FIXTURES / name)


async def test_a_wrong_extension_changes_nothing(tmp_path: Path) -> None:
    film = tmp_path / "film.txt"
    film.write_bytes((FIXTURES / "earth_480x270.avi").read_bytes())
    check(await judged(film), REAL["earth_480x270.avi"])


async def test_damage_is_counted_and_judged_by_its_share(tmp_path: Path) -> None:
    whole = bytearray((FIXTURES / "bikes_640x272_silent.mp4").read_bytes())
    chosen = random.Random(3)
    middle = range(len(whole) // 4, 3 * len(whole) // 4)
    for flips, refused in ((1, False), (200, True)):
        damaged = bytearray(whole)
        for _ in range(flips):
            damaged[chosen.choice(middle)] ^= 0x10
        film = tmp_path / f"flips{flips}.mp4"
        film.write_bytes(damaged)
        if refused:
            with pytest.raises(SourceRefused, match="too damaged"):
                await judged(film)
        else:
            assert (await judged(film)).frames_damaged <= 12


async def test_a_hole_in_the_middle_is_damage(tmp_path: Path) -> None:
    whole = bytearray((FIXTURES / "bikes_640x272_silent.mp4").read_bytes())
    third = len(whole) // 3
    whole[third : 2 * third] = bytes(third)
    film = tmp_path / "hole.mp4"
    film.write_bytes(whole)
    with pytest.raises(SourceRefused, match="too damaged"):
        await judged(film)


async def test_a_film_missing_its_last_twentieth_is_refused_and_its_last_frame_is_not(tmp_path: Path) -> None:
    """The MKV of a silent film says its length in its header, so what is missing at its end is known."""
    whole = await made(tmp_path / "whole.mkv", str(FIXTURES / "bikes_640x272_silent.mp4"), c="copy")
    content = whole.read_bytes()
    for share, refused in ((0.6, True), (0.985, False)):
        film = tmp_path / "cut.mkv"
        film.write_bytes(content[: int(len(content) * share)])
        if refused:
            with pytest.raises(SourceRefused, match="cut off"):
                await judged(film)
        else:
            assert "The file ends before its last packet." in (await judged(film)).warnings


async def test_a_cut_off_avi_is_held_to_its_headers_length(tmp_path: Path) -> None:
    """ffprobe alone would say that half an AVI is a whole one of half the length."""
    whole = (FIXTURES / "earth_480x270.avi").read_bytes()
    film = tmp_path / "half.avi"
    film.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceRefused, match=r"should last 5\.0 seconds"):
        await judged(film)


async def test_a_hole_in_a_transport_stream_is_damage(tmp_path: Path) -> None:
    one = await made(tmp_path / "one.ts", "testsrc=size=64x64:rate=25:duration=4", vcodec="mpeg2video")
    content = bytearray(one.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    one.write_bytes(content)
    with pytest.raises(SourceRefused, match="too damaged"):
        await judged(one)


async def test_limits_are_kept() -> None:
    film = FIXTURES / "bikes_640x272_silent.mp4"
    with pytest.raises(SourceRefused, match="too large: 509868 bytes"):
        await judged(film, SourceLimits(max_bytes=500_000))
    with pytest.raises(SourceRefused, match="too long"):
        await judged(film, SourceLimits(max_seconds=5))
    with pytest.raises(SourceRefused, match="too large: 640 x 272"):
        await judged(film, SourceLimits(max_pixels=100_000))


async def test_a_cover_picture_is_no_film(tmp_path: Path) -> None:
    sound = await made(tmp_path / "sound.m4a", "sine=frequency=440:duration=1", acodec="aac")
    cover = await made(tmp_path / "cover.png", "testsrc=size=64x64:rate=1", **{"frames:v": 1})
    song = tmp_path / "song.m4a"
    flags = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"]
    argv = [binaries.picture_ffmpeg(), "-v", "error", "-i", sound, "-i", cover, *flags, song]
    await process.run(argv, timeout_seconds=30)
    with pytest.raises(SourceRefused, match="cover picture"):
        await judged(song)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n" + b"x" * 999, "a PDF document"),
        (b"PK\x03\x04" + bytes(999), "a ZIP archive"),
        (b"\xff\xd8\xff\xe0" + bytes(999), r"a picture \(JPEG\)"),
        (b"ID3\x04" + bytes(999), r"sound \(MP3\)"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a page of a web site"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "text"),
    ],
)
async def test_other_files_are_named(tmp_path: Path, head: bytes, kind: str) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(head)
    with pytest.raises(SourceRefused, match=f"This is {kind}"):
        await judged(film)


async def test_a_clock_that_jumps_is_mended(tmp_path: Path) -> None:
    """Two recordings in one transport stream: the second starts at the first one's time again."""
    one = await made(tmp_path / "one.ts", "testsrc=size=64x64:rate=25:duration=2", vcodec="mpeg2video")
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() * 2)
    source = await judged(both)
    assert source.duration_seconds == pytest.approx(4.0, abs=0.1)
    assert not source.seekable
    assert "clock jumps" in source.warnings[0]


async def test_progress_reaches_the_caller() -> None:
    seen: list[float] = []
    film = FIXTURES / "bikes_640x272_silent.mp4"
    identity = {"movie_id": "m_t", "upload_id": "u_t", "key": "k", "file_name": film.name, "sha256": "0"}
    await judge(film, version=1, limits=SourceLimits(), on_progress=seen.append, **identity)
    assert seen[-1] == pytest.approx(1.0)
