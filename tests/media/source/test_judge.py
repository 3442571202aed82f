"""Every real file is accepted with its true properties, or refused with the right reason, whatever its name and header claim."""

import random
from pathlib import Path

import pytest

from marquee.documents import SourceDocument
from marquee.errors import SourceRefused
from marquee.media.source.claims import SourceLimits
from marquee.media.source.judge import judge
from marquee.platform.project import FIXTURES
from tests.harness.media.expected import BROKEN, BROKEN_FIXTURES, ONLY_SOUND, REAL, Accepted
from tests.harness.media.films import SHARED, judged, made


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
    assert source.frames_damaged == 0
    if path.name in REAL:
        check(source, REAL[path.name])


@pytest.mark.parametrize("name", sorted(name for name in REAL if (FIXTURES / name).exists()))
async def test_every_fixture_is_accepted_as_it_is(name: str) -> None:
    check(await judged(FIXTURES / name), REAL[name])


@pytest.mark.parametrize("name", BROKEN_FIXTURES)
async def test_broken_fixtures_are_refused(name: str) -> None:
    with pytest.raises(SourceRefused, match=BROKEN_FIXTURES[name]):
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
    """The header of a silent film's MKV has its full length, so a missing end is noticed."""
    whole = await made(tmp_path / "whole.mkv", str(FIXTURES / "bikes_640x272_silent.mp4"), c="copy")
    content = whole.read_bytes()
    for share, refused in ((0.6, True), (0.985, False)):
        film = tmp_path / "cut.mkv"
        film.write_bytes(content[: int(len(content) * share)])
        if refused:
            with pytest.raises(SourceRefused, match="cut off"):
                await judged(film)
        else:
            assert "The file ends before its last packet." in (await judged(film)).notes[0].sentence


async def test_a_cut_off_avi_is_held_to_its_headers_length(tmp_path: Path) -> None:
    """ffprobe alone reports half an AVI as a whole film of half the length."""
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


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n" + b"x" * 999, "a PDF document"),
        (b"PK\x03\x04" + bytes(999), "a ZIP archive"),
        (b"\xff\xd8\xff\xe0" + bytes(999), r"a picture \(JPEG\)"),
        (b"ID3\x04" + bytes(999), r"sound \(MP3\)"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a page of a web site"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "a file of subtitles"),
        (b"Once upon a time", "text"),
    ],
)
async def test_other_files_are_named(tmp_path: Path, head: bytes, kind: str) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(head)
    with pytest.raises(SourceRefused, match=f"This is {kind}"):
        await judged(film)


async def test_a_clock_that_jumps_is_mended(tmp_path: Path) -> None:
    """Two recordings in one transport stream: the second recording's clock starts at the same time as the first."""
    one = await made(tmp_path / "one.ts", "testsrc=size=64x64:rate=25:duration=2", vcodec="mpeg2video")
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() * 2)
    source = await judged(both)
    assert source.duration_seconds == pytest.approx(4.0, abs=0.1)
    assert not source.seekable
    assert "clock jumps" in source.notes[0].sentence


async def test_progress_reaches_the_caller() -> None:
    seen: list[float] = []
    film = FIXTURES / "bikes_640x272_silent.mp4"
    identity = {"movie_id": "m_t", "upload_id": "u_t", "key": "k", "file_name": film.name, "sha256": "0"}
    await judge(film, version=1, limits=SourceLimits(), on_progress=seen.append, **identity)
    assert seen[-1] == pytest.approx(1.0)
