"""A transport stream of several programmes becomes a title of one: never a picture of one with the sound of another."""

from pathlib import Path

import pytest

from marquee.documents import SourceDocument
from marquee.media.programs import binaries, process
from marquee.media.source.probe import Probe, Programme, Stream
from marquee.media.source.programmes import ordered, reduced
from tests.harness.media.films import judged

SMALL, LARGE = "64x48", "128x96"


async def broadcast(path: Path, inputs: list[str], *programmes: list[int], options: tuple[str, ...] = ()) -> Path:
    """A transport stream of `inputs` (a size: a picture; a number: a tone of so many hertz), as `programmes` list them."""
    arguments: list[str] = []
    for one in inputs:
        source = f"testsrc2=s={one}:r=25:d=2" if "x" in one else f"sine={one}:d=2:sample_rate=48000"
        arguments += ["-f", "lavfi", "-i", source]
    for index in range(len(inputs)):
        arguments += ["-map", str(index)]
    for number, streams in enumerate(programmes, start=1):
        arguments += ["-program", f"program_num={number}:title=P{number}:" + ":".join(f"st={one}" for one in streams)]
    coded = ["-c:v", "mpeg2video", "-b:v", "200k", "-c:a", "mp2", "-b:a", "64k", *options]
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-y", *arguments, *coded, str(path)]
    await process.run(argv, timeout_seconds=60)
    return path


def used(source: SourceDocument) -> tuple[int, list[int]]:
    return source.video.index, [one.index for one in source.audio]


def told(source: SourceDocument) -> list[str]:
    return [one.sentence for one in source.notes if one.code == "programme-left-out"]


@pytest.mark.parametrize(
    ("inputs", "programmes", "expected", "left_out"),
    [
        pytest.param(
            [SMALL, "300", LARGE, "1200"], [[0, 1], [2, 3]], (2, [3]), ["P1: 64x48, 1 audio track"], id="SD and HD"
        ),
        pytest.param(
            [LARGE, "300", SMALL, "1200"], [[0, 1], [2, 3]], (0, [1]), ["P2: 64x48, 1 audio track"], id="HD and SD"
        ),
        pytest.param(
            [SMALL, "300", SMALL, "1200"], [[0, 1], [2, 3]], (0, [1]), ["P2: 64x48, 1 audio track"], id="one size"
        ),
        pytest.param(
            [SMALL, "300", SMALL, "1200"],
            [[2, 3], [0, 1]],
            (2, [3]),
            ["P2: 64x48, 1 audio track"],
            id="one size, the lower number later",
        ),
        pytest.param(["300", "500", SMALL, "1200"], [[0, 1], [2, 3]], (2, [3]), ["P1: 2 audio tracks"], id="radio"),
        pytest.param([LARGE, SMALL, "1200"], [[0], [1, 2]], (1, [2]), ["P1: 128x96"], id="the larger has no sound"),
        pytest.param([SMALL, LARGE], [[0], [1]], (1, []), ["P1: 64x48"], id="no sound at all"),
        pytest.param(
            [SMALL, "300", "1200"], [[0, 1], [0, 2]], (0, [1]), ["P2: 1 audio track"], id="the picture is shared"
        ),
        pytest.param([SMALL, LARGE, "300"], [[0, 2], [1, 2]], (1, [2]), ["P1: 64x48"], id="the sound is shared"),
        pytest.param([SMALL, "300", "1200"], [[0, 1, 2], [0, 1]], (0, [1, 2]), [], id="the other has nothing more"),
        pytest.param(
            [SMALL, "300", LARGE, "1200", SMALL, "500"],
            [[0, 1], [2, 3], [4, 5]],
            (2, [3]),
            ["P1: 64x48, 1 audio track", "P3: 64x48, 1 audio track"],
            id="three",
        ),
    ],
)
async def test_picture_and_sound_are_of_one_programme(
    inputs: list[str],
    programmes: list[list[int]],
    expected: tuple[int, list[int]],
    left_out: list[str],
    tmp_path: Path,
) -> None:
    path = await broadcast(tmp_path / "film.ts", inputs, *programmes)
    # ffmpeg lists streams in the order of the PMTs, which follow the programmes' numbers.
    order = [stream for programme in programmes for stream in programme]
    place = {stream: index for index, stream in enumerate(dict.fromkeys(order))}
    source = await judged(path)
    assert used(source) == (place[expected[0]], [place[one] for one in expected[1]])
    assert len(told(source)) == len(left_out)
    for sentence, content in zip(told(source), left_out, strict=True):
        assert f"({content})" in sentence
    assert not any(one.code == "picture-left-out" for one in source.notes), "a programme is told once"
    assert source.duration_seconds == pytest.approx(2.0, abs=0.1)


async def test_a_programme_whose_picture_cannot_be_decoded_is_not_taken(tmp_path: Path) -> None:
    path = await broadcast(tmp_path / "film.ts", [LARGE, "300", SMALL, "1200"], [0, 1], [2, 3])
    content = bytearray(path.read_bytes())
    for at in range(0, len(content), 188):
        pid = int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF
        if pid == 0x100:  # the first stream's payload is destroyed, as scrambling does
            content[at + 4 : at + 188] = bytes(184)
            content[at + 3] = content[at + 3] & 0x0F | 0x10
    path.write_bytes(content)
    source = await judged(path)
    assert (source.video.width, source.video.height) == (64, 48)
    assert len(source.audio) == 1
    assert len(told(source)) == 1
    assert "Programme 2 is used" in told(source)[0]


async def test_a_film_of_one_programme_keeps_all_its_streams(tmp_path: Path) -> None:
    source = await judged(await broadcast(tmp_path / "film.ts", [SMALL, "300", "500"], [0, 1, 2]))
    assert used(source) == (0, [1, 2])
    assert told(source) == []


async def test_the_clock_of_another_programme_does_not_matter(tmp_path: Path) -> None:
    first = await broadcast(tmp_path / "first.ts", [SMALL, "300"], [0, 1])
    second = await broadcast(tmp_path / "second.ts", [LARGE, "1200"], [0, 1], options=("-output_ts_offset", "18000"))
    path = tmp_path / "film.ts"
    mapped = ["-map", "0", "-map", "1", "-c", "copy", "-program", "st=0:st=1", "-program", "st=2:st=3", "-copyts"]
    argv = [str(binaries.picture_ffmpeg()), "-v", "error", "-y", "-copyts", "-i", first, "-i", second, *mapped, path]
    await process.run([str(one) for one in argv], timeout_seconds=60)
    source = await judged(path)
    assert used(source) == (2, [3])
    assert source.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert not any(one.code.startswith("clock") or "cut" in one.code for one in source.notes)


def a_stream(index: int, kind: str, **more: object) -> Stream:
    return Stream(index=index, kind=kind, codec="x", **more)  # type: ignore[arg-type]


def test_a_picture_without_a_size_is_no_picture_and_a_track_without_parameters_is_no_sound() -> None:
    streams = [
        a_stream(0, "video"),
        a_stream(1, "audio", channels=2, sample_rate=48_000),
        a_stream(2, "video", width=64, height=48),
        a_stream(3, "audio"),
        a_stream(4, "video", width=32, height=24),
        a_stream(5, "audio", channels=2, sample_rate=48_000),
    ]
    programmes = [Programme(number=7 + n, streams=frozenset({2 * n, 2 * n + 1})) for n in range(3)]
    probed = Probe(container="mpegts", start_seconds=0, duration_seconds=None, streams=streams, programmes=programmes)
    assert [one.number for one in ordered(probed)] == [9, 8, 7]


def test_a_programmes_length_is_that_of_its_own_streams() -> None:
    streams = [
        a_stream(0, "video", start_seconds=1.0, duration_seconds=5.0),
        a_stream(1, "audio", start_seconds=100.0, duration_seconds=50.0),
    ]
    probed = Probe(container="mpegts", start_seconds=1.0, duration_seconds=149.0, streams=streams)
    part = reduced(probed, {0})
    assert (part.start_seconds, part.duration_seconds) == (1.0, 5.0)
