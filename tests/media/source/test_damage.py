"""What counts as damage of a picture: empty packets never do, lost and concealed pictures do, a missing end is a cut film."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from marquee.errors import SourceRefused
from marquee.media.source.avi_index import is_wholly_indexed
from tests.harness.media.films import judged, made

FRAMES, RATE = 300, 30
Change = Callable[[int, bytes], bytes]


async def avi(path: Path, codec: str = "mpeg4") -> Path:
    """A film of 10 s at 30 frames a second, without sound."""
    graph = f"testsrc2=size=160x90:rate={RATE}:duration={FRAMES / RATE}"
    return await made(path, graph, vcodec=codec, g=30, bf=0, qscale=5)


def with_chunks(content: bytes, change: Change) -> bytes:
    """An AVI whose picture chunks are changed by `change(number, chunk)`, with a new index."""
    movi = content.index(b"movi")
    at, end = movi + 4, movi + int.from_bytes(content[movi - 4 : movi], "little")
    body, index, number = b"movi", b"", 0
    while at < end - 7:
        tag, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        chunk = content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
        if tag[2:] == b"dc":
            chunk, number = change(number, chunk), number + 1
        index += tag + struct.pack("<III", 0x10 if len(chunk) > 1500 else 0, len(body), len(chunk))
        body += tag + struct.pack("<I", len(chunk)) + chunk + bytes(len(chunk) % 2)
    made_again = b"".join(
        [
            content[: movi - 8],
            b"LIST",
            struct.pack("<I", len(body)),
            body,
            b"idx1",
            struct.pack("<I", len(index)),
            index,
        ]
    )
    return made_again[:4] + struct.pack("<I", len(made_again) - 8) + made_again[8:]


def empty_where(chosen: Callable[[int], bool]) -> Change:
    return lambda number, chunk: b"" if chosen(number) else chunk


def zeros_where(chosen: Callable[[int], bool]) -> Change:
    return lambda number, chunk: bytes(len(chunk)) if chosen(number) else chunk


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
@pytest.mark.parametrize(
    "chosen",
    [lambda n: n % 7 > 0 and n % 61 > 0, lambda n: 0 < n < 100, lambda n: 100 <= n < 250, lambda n: n >= 150],
    ids=["most of them", "near the beginning", "a long run", "to the end"],
)
async def test_empty_packets_repeat_the_last_picture(chosen: Callable[[int], bool], codec: str, tmp_path: Path) -> None:
    film = await avi(tmp_path / "film.avi", codec)
    film.write_bytes(with_chunks(film.read_bytes(), empty_where(chosen)))
    source = await judged(film)
    assert source.frames_damaged == 0
    assert source.duration_seconds == pytest.approx(FRAMES / RATE, abs=0.3)
    assert not {one.code for one in source.notes} & {"picture-damaged", "picture-ends-early", "file-cut-off"}


@pytest.mark.parametrize(
    ("first", "last", "refusal"),
    [(100, 104, ""), (100, 180, "too damaged: 80 of 300 frames"), (180, FRAMES, "cut off")],
    ids=["a few", "a long run", "to the end"],
)
async def test_lost_packets_are_damage(first: int, last: int, refusal: str, tmp_path: Path) -> None:
    film = await avi(tmp_path / "film.avi")
    film.write_bytes(with_chunks(film.read_bytes(), zeros_where(lambda n: first <= n < last)))
    if refusal:
        with pytest.raises(SourceRefused, match=refusal):
            await judged(film)
        return
    source = await judged(film)
    (told,) = [one for one in source.notes if one.code == "picture-damaged"]
    assert told.figures["damaged"] == last - first
    assert told.figures["seconds"] == pytest.approx((last - first) / RATE, abs=1e-3)
    assert told.figures["longest"] == pytest.approx((last - first) / RATE, abs=1e-3)


async def test_an_index_that_lists_fewer_frames_than_the_header_is_no_proof(tmp_path: Path) -> None:
    film = await avi(tmp_path / "film.avi")
    assert is_wholly_indexed(film)
    content = film.read_bytes()
    cut = tmp_path / "cut.avi"
    for size in (0, 10, 100, len(content) // 2, content.index(b"idx1") + 200):
        cut.write_bytes(content[:size])
        assert not is_wholly_indexed(cut), f"{size} bytes"
