"""A slow line, shared by the parts of one upload: parts go one at a time, and none is ended for its pace again and again."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from marquee.client import uploader
from marquee.client.lanes import LANE_BYTES_PER_SECOND, Lanes
from marquee.client.uploader import upload_film
from marquee.errors import PlatformUnavailable

PART_BYTES = 256 * 1024
PARTS = 5
URL = "http://s3.test/part"


class Store:
    """API and S3 in one: a line that carries one part at the minimum and no more, and a proxy that ends slower parts."""

    def __init__(self, *, carries: int) -> None:
        self._carries = carries
        self.at_once = 0
        self.most_at_once = 0
        self.ended_slow = 0
        self.stored: list[int] = []
        self.verify = True

    async def post(self, path: str, body: Any = None, *, repeat: bool = False) -> dict[str, Any]:
        if path == "/uploads":
            return {"upload_id": "u", "movie_id": "m", "part_bytes": PART_BYTES, "resumed": False}
        return {"parts": [{"number": number, "url": f"{URL}/{number}"} for number in (body or {}).get("numbers", [])]}

    async def get(self, path: str) -> dict[str, Any]:
        return {"parts": []}

    async def put(self, request: httpx.Request) -> httpx.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            body = await request.aread()
            assert len(body) == int(request.headers["content-length"])
            await asyncio.sleep(0.01)
            if self.at_once > self._carries:
                self.ended_slow += 1
                return httpx.Response(408)
            self.stored.append(int(request.url.path.rpartition("/")[2]))
            return httpx.Response(200)
        finally:
            self.at_once -= 1


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x" * PART_BYTES * PARTS)
    return path


def upload(store: Store, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = httpx.AsyncClient
    transport = httpx.MockTransport(store.put)
    monkeypatch.setattr(uploader.httpx, "AsyncClient", lambda **_: real(transport=transport))
    monkeypatch.setattr(uploader._put_part.retry, "wait", lambda _: 0)  # type: ignore[attr-defined]
    asyncio.run(upload_film(store, film, {}))  # type: ignore[arg-type]


def test_parts_that_are_too_slow_together_go_one_at_a_time(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(carries=1)
    upload(store, film, monkeypatch)
    assert sorted(store.stored) == list(range(1, PARTS + 1))
    assert store.ended_slow <= PARTS, "the upload sends several parts at once again and again"


def test_a_fast_line_carries_several_parts_at_once(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(carries=99)
    upload(store, film, monkeypatch)
    assert store.most_at_once == uploader.MAX_CONCURRENT_PARTS


def test_a_line_below_the_minimum_ends_with_a_sentence(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        uploader._put_part.retry,  # type: ignore[attr-defined]
        "stop",
        uploader.stop_after_attempt(uploader.MIN_PART_ATTEMPTS),
    )
    with pytest.raises(PlatformUnavailable, match="slower than the platform accepts"):
        upload(Store(carries=0), film, monkeypatch)


@pytest.mark.parametrize(("line", "lanes"), [(67_000, 1), (LANE_BYTES_PER_SECOND, 1), (10 * LANE_BYTES_PER_SECOND, 3)])
async def test_the_measured_line_decides_how_many(line: int, lanes: int) -> None:
    these = Lanes(3)
    async with these.one():
        these.sent(line * 5, 5.0)
    running = 0

    async def hold(enough: asyncio.Event) -> None:
        nonlocal running
        async with these.one():
            running += 1
            await enough.wait()

    enough = asyncio.Event()
    tasks = [asyncio.create_task(hold(enough)) for _ in range(5)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert running == lanes
    enough.set()
    await asyncio.gather(*tasks)


async def test_a_whole_part_is_not_one_write() -> None:
    blocks = [block async for block in uploader._blocks(b"x" * (8 * 1024**2 + 1))]
    assert max(map(len, blocks)) == uploader.BLOCK_BYTES, "one write of a part has to end within one time-out"
    assert sum(map(len, blocks)) == 8 * 1024**2 + 1
