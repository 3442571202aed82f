"""Objects: a download is complete or fails, parts must have their checksums, and calls survive a killed server."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from marquee.errors import ObjectMissing, PartsMismatch, StoreUnavailable
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.objects.contract import Objects, StoredPart
from marquee.stores.opened import open_bucket
from tests.harness.aws_logins import RoleServer
from tests.harness.restarting import RestartingServer

ENGINES = [
    pytest.param("s3_server", id="s3"),
    pytest.param("s3_by_environment", id="s3-login-in-the-environment"),
    pytest.param("s3_by_shared_file", id="s3-login-in-a-shared-file"),
    pytest.param("s3_by_role", id="s3-login-of-a-role"),
]
"""One S3, reached by our own keys or by the ordinary AWS chain."""
SERVERS = {"s3": local_engines.seaweedfs}
ORIGIN = "http://web.test:8400"
PART = 5 * 1024**2


@pytest.fixture(params=ENGINES)
def where(request: pytest.FixtureRequest) -> Settings:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Settings)
    return found


@pytest.fixture
async def objects(where: Settings) -> AsyncIterator[Objects]:
    store = open_bucket(where, where.objects)
    await store.ensure_bucket(allowed_origins=[ORIGIN])
    yield store
    await store.close()


@pytest.fixture
def key() -> str:
    return f"test/{secrets.token_hex(6)}/file ä.bin"


async def put_part(objects: Objects, key: str, multipart_id: str, number: int, body: bytes) -> StoredPart:
    url = await objects.part_url(key, multipart_id, number, size_bytes=len(body), seconds=60)
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.put(url, content=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 200, answer.text
    return StoredPart(number, len(body), answer.headers["etag"].strip('"'))


async def test_an_object_comes_back_with_its_facts(objects: Objects, key: str) -> None:
    await objects.put(key, b"body", content_type="text/plain", cache_control="max-age=60")
    assert await objects.get(key) == b"body"
    facts = await objects.head(key)
    assert facts is not None
    assert (facts.key, facts.size_bytes, facts.etag) == (key, 4, hashlib.md5(b"body").hexdigest())
    await objects.put(key, b"", content_type="text/plain")
    assert await objects.get(key) == b""


async def test_a_missing_object_is_named(objects: Objects, key: str, tmp_path: Path) -> None:
    assert await objects.head(key) is None
    with pytest.raises(ObjectMissing, match="file ä"):
        await objects.get(key)
    with pytest.raises(ObjectMissing):
        await objects.get_file(key, tmp_path / "file")
    assert list(tmp_path.iterdir()) == [], "half a file was left"


@pytest.mark.parametrize("size", [0, 1, 1024**2, 37 * 1024**2 + 11])
async def test_a_file_goes_there_and_back(objects: Objects, key: str, tmp_path: Path, size: int) -> None:
    source, copy = tmp_path / "source", tmp_path / "below" / "copy"
    source.write_bytes(os.urandom(size))
    stored = await objects.put_file(key, source, content_type="video/mp4")
    assert stored.size_bytes == size
    await objects.get_file(key, copy)
    assert copy.read_bytes() == source.read_bytes()
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


async def test_a_listing_has_every_key_below_a_prefix(objects: Objects) -> None:
    prefix = f"list/{secrets.token_hex(6)}/"
    keys = [f"{prefix}{number:04}/part" for number in range(30)]
    await asyncio.gather(*(objects.put(one, b"x", content_type="text/plain") for one in keys))
    assert sorted([entry.key async for entry in objects.list(prefix)]) == keys
    await objects.delete([*keys[:20], f"{prefix}never-there"])
    assert sorted([entry.key async for entry in objects.list(prefix)]) == keys[20:]
    await objects.delete([])


async def test_parts_make_the_file(objects: Objects, key: str) -> None:
    bodies = [os.urandom(PART), os.urandom(PART), b"tail"]
    multipart_id = await objects.create_multipart(key, content_type="video/mp4")
    # Out of order, and part 2 twice: completion chooses by checksum.
    await put_part(objects, key, multipart_id, 2, os.urandom(PART))
    sent = [await put_part(objects, key, multipart_id, number, bodies[number - 1]) for number in (3, 1, 2)]
    parts = [part for part in await objects.list_parts(key, multipart_id) if part in sent]
    assert [part.checksum for part in parts] == [hashlib.md5(body).hexdigest() for body in bodies]
    assert [part.size_bytes for part in parts] == [len(body) for body in bodies]
    info = await objects.complete_multipart(key, multipart_id, parts)
    assert info.size_bytes == sum(map(len, bodies))
    assert await objects.get(key) == b"".join(bodies)
    # A client repeats the call after a lost answer: it must succeed again.
    assert (await objects.complete_multipart(key, multipart_id, parts)).etag == info.etag


async def test_parts_that_are_not_stored_so_are_refused(objects: Objects, key: str) -> None:
    multipart_id = await objects.create_multipart(key, content_type="video/mp4")
    part = await put_part(objects, key, multipart_id, 1, b"abc")
    with pytest.raises(PartsMismatch):
        await objects.complete_multipart(key, multipart_id, [StoredPart(1, 3, hashlib.md5(b"other").hexdigest())])
    with pytest.raises(PartsMismatch):
        await objects.complete_multipart(key, multipart_id, [part, StoredPart(2, 3, part.checksum)])
    assert await objects.head(key) is None


async def test_an_aborted_multipart_is_gone(objects: Objects, key: str) -> None:
    multipart_id = await objects.create_multipart(key, content_type="video/mp4")
    await put_part(objects, key, multipart_id, 1, b"abc")
    await objects.abort_multipart(key, multipart_id)
    await objects.abort_multipart(key, multipart_id)
    with pytest.raises(ObjectMissing):
        await objects.list_parts(key, multipart_id)
    assert await objects.head(key) is None


async def test_browsers_of_the_allowed_origin_may_put_parts_and_read_etag(objects: Objects, key: str) -> None:
    multipart_id = await objects.create_multipart(key, content_type="video/mp4")
    url = await objects.part_url(key, multipart_id, 1, size_bytes=1, seconds=60)
    async with httpx.AsyncClient() as client:
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        answer = await client.options(url, headers=asked)
        assert answer.headers["access-control-allow-origin"] in (ORIGIN, "*")
        refused = await client.options(url, headers={**asked, "Origin": "http://elsewhere.test"})
        assert refused.status_code == 403, "a browser sends the part if the preflight succeeds"
        put = await client.put(url, content=b"x", headers={"Origin": ORIGIN})
    assert "ETag" in put.headers["access-control-expose-headers"]


async def test_a_presigned_part_cannot_be_forged(objects: Objects, key: str) -> None:
    multipart_id = await objects.create_multipart(key, content_type="video/mp4")
    url = await objects.part_url(key, multipart_id, 1, size_bytes=1, seconds=60)
    async with httpx.AsyncClient() as client:
        assert (await client.put(url.replace("partNumber=1", "partNumber=2"), content=b"x")).status_code == 403
        assert (await client.put(url, content=b"xx")).status_code == 403, "a part of another size was taken"
        assert (await client.put(url, content=b"")).status_code == 403, "an empty part was taken"
        assert (await client.put(url.replace(key.split("/")[1], "0" * 12), content=b"x")).status_code == 403
        corrupted = await client.put(url, content=b"x", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
        unsized = await client.put(url, content=_in_pieces(b"xx"))
    assert corrupted.status_code == 400
    assert unsized.status_code >= 400, "a part that does not say its size was taken"
    assert list(await objects.list_parts(key, multipart_id)) == []


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body that is sent in chunks without a length."""
    yield body


async def test_part_urls_are_signed_for_the_public_address(where: Settings) -> None:
    elsewhere = where.model_copy(update={"public_s3_url": "https://s3.public.test"})
    store = open_bucket(elsewhere, where.objects)
    url = await store.part_url("k", "id", 3, size_bytes=1, seconds=60)
    assert url.startswith("https://s3.public.test/")
    assert "partNumber=3" in url
    await store.close()


async def test_a_roles_keys_are_asked_for_again_before_they_end(
    s3_by_role: Settings, role: RoleServer, key: str
) -> None:
    store = open_bucket(s3_by_role, s3_by_role.objects)
    await store.ensure_bucket()
    await store.put(key, b"body", content_type="text/plain")
    assert await store.get(key) == b"body"
    await store.close()
    assert role.asked > 1, "keys that end soon were used on"


async def test_a_missing_login_is_said_with_its_remedy(s3_without_login: Settings) -> None:
    store = open_bucket(s3_without_login, s3_without_login.objects)
    for call in (store.ping(), store.part_url("k", "id", 1, size_bytes=1, seconds=60)):
        with pytest.raises(StoreUnavailable, match=r"MARQUEE_S3_ACCESS_KEY.*AWS_ACCESS_KEY_ID"):
            await call
    await store.close()


@pytest.mark.parametrize("engine", SERVERS)
async def test_a_killed_server_is_waited_for_and_has_lost_nothing(engine: str, tmp_path: Path) -> None:
    async with RestartingServer(SERVERS[engine], tmp_path) as server:
        store = open_bucket(
            server.settings.model_copy(update={"public_s3_url": server.settings.loopback("s3_inner")}),
            server.settings.objects,
        )
        await store.ensure_bucket()
        stored: dict[str, bytes] = {}

        async def put(number: int) -> None:
            body = os.urandom(20_000)
            await store.put(f"k{number}", body, content_type="text/plain")
            stored[f"k{number}"] = body

        for number in range(20):
            await put(number)
        multipart_id = await store.create_multipart("film", content_type="video/mp4")
        await put_part(store, "film", multipart_id, 1, b"before the kill")
        server.kill()
        with pytest.raises(StoreUnavailable):
            await store.ping()
        puts = [asyncio.create_task(put(number)) for number in range(20, 30)]
        await server.start()
        await asyncio.gather(*puts)
        for name, body in stored.items():
            assert await store.get(name) == body, f"{name} was acknowledged and is not what was stored"
        await store.complete_multipart("film", multipart_id, await store.list_parts("film", multipart_id))
        assert await store.get("film") == b"before the kill"
        await store.close()
