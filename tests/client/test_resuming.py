"""An upload that was killed goes on where it stopped: against the real API and a real S3."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from marquee.client.session import ApiSession
from marquee.client.uploader import PartSent, cut_into_parts, upload_film
from marquee.settings import Settings
from marquee.stores.opened import open_bucket
from tests.harness.served import served  # noqa: F401 - a fixture

PARTS = 8
TAIL_BYTES = 1234


class Killed(Exception):
    """The client's process, at this moment."""


class CountedSession(ApiSession):
    """Notes for which parts an address was asked, which is what is sent to S3."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[int] = []

    async def post(self, path: str, body: Any = None, *, repeat: bool = False) -> Any:
        if path.endswith("/parts"):
            self.asked += body["numbers"]
        return await super().post(path, body, repeat=repeat)


@pytest.fixture
async def api(served: Settings) -> AsyncIterator[CountedSession]:  # noqa: F811 - the fixture above
    async with CountedSession(served.public) as session:
        await session.log_in(served.email, served.password.get_secret_value())
        yield session


@pytest.fixture
def film(served: Settings, tmp_path: Path) -> Path:  # noqa: F811
    path = tmp_path / "killed.mp4"
    path.write_bytes(os.urandom((PARTS - 1) * served.upload_part_bytes + TAIL_BYTES))
    return path


async def test_an_upload_killed_after_two_parts_sends_only_the_missing_ones(
    api: CountedSession,
    film: Path,
    served: Settings,  # noqa: F811
) -> None:
    safe: list[PartSent] = []

    def killed_after_two(part: PartSent) -> None:
        safe.append(part)
        if len(safe) == 2:
            raise Killed

    with pytest.raises(Killed):
        await upload_film(api, film, {"title": "Killed"}, on_part=killed_after_two)
    assert len(api.asked) < PARTS, "the kill came too late to prove anything"
    upload_id = safe[0].upload_id
    # A part that another run sent with other bytes: S3 may keep both until the upload is completed.
    await _put(api, upload_id, safe[0].number, os.urandom(served.upload_part_bytes))

    checksums = _checksums(film, served.upload_part_bytes)
    stored = (await api.get(f"/uploads/{upload_id}/parts"))["parts"]
    held = {part["number"] for part in stored if part["checksum"] == checksums[part["number"]]}
    assert safe[1].number in held, "a part that was told to be safe is not in S3"
    api.asked.clear()
    told: list[PartSent] = []
    ended = await upload_film(api, film, {"title": "Killed"}, on_part=told.append)

    assert ended["upload_id"] == upload_id, "a second upload was opened for the same file"
    assert {part.number for part in told if part.reused} == held
    assert sorted(api.asked) == sorted(set(range(1, PARTS + 1)) - held), "sent again although S3 held it, or not sent"
    assert max(part.bytes_done for part in told) == film.stat().st_size
    assert ended["state"] == "ingesting"
    objects = open_bucket(served, served.objects)
    assert await objects.get(f"uploads/{upload_id}/source") == film.read_bytes(), "the film is not what was uploaded"
    await objects.close()


def _checksums(film: Path, part_bytes: int) -> dict[int, str]:
    body = film.read_bytes()
    return {
        part.number: hashlib.md5(body[part.offset : part.offset + part.size_bytes]).hexdigest()
        for part in cut_into_parts(len(body), part_bytes)
    }


async def _put(api: ApiSession, upload_id: str, number: int, body: bytes) -> None:
    urls = await api.post(f"/uploads/{upload_id}/parts", {"numbers": [number]})
    async with httpx.AsyncClient(timeout=30) as http:
        (await http.put(urls["parts"][0]["url"], content=body)).raise_for_status()
