"""A resumable upload: the bytes go straight to S3, part by part, and a second run continues an upload that was killed.

The client stores nothing. A second run asks the API for an open upload of the same file by the same account, and
compares the checksums of the parts in S3 with the file's own. Equal parts are not sent again. A part that fails is
retried with a fresh URL for `PART_RETRY_SECONDS`. `marquee.client.lanes` says how many parts are sent at once.
"""

import asyncio
import base64
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    wait_random_exponential,
)

from marquee.client.lanes import Lanes
from marquee.client.session import ApiProblem, ApiSession
from marquee.concurrency import gather_bounded
from marquee.domain.file_names import cut, title_fault, title_of
from marquee.domain.parts import parts_total, size_of_part
from marquee.errors import InputInvalid, PlatformUnavailable

MAX_CONCURRENT_PARTS = 3
MAX_SIDECAR_BYTES = 3_500_000
"""The API takes no larger subtitle file."""
PART_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
"""For one block, and for the answer. A whole part may take longer: 8 MiB over a line of 67 KB/s take 125 s."""
BLOCK_BYTES = 64 * 1024
PART_RETRY_SECONDS = 120.0
MIN_PART_ATTEMPTS = 4
"""On a slow line the first attempt alone may take longer than `PART_RETRY_SECONDS`."""
TOO_SLOW = 408
"""S3's proxy ends a part that comes too slowly."""
MAX_NAME_CHARACTERS = 255


@dataclass(frozen=True)
class PartSent:
    """What `on_part` gets once a part is safe in S3. `reused`: an earlier run had sent the part."""

    upload_id: str
    movie_id: str
    number: int
    parts_total: int
    bytes_done: int
    bytes_total: int
    reused: bool


OnPart = Callable[[PartSent], None]
OnSidecar = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Part:
    """One part of the file. Parts are numbered from 1; `offset` is in bytes."""

    number: int
    offset: int
    size_bytes: int


async def upload_film(
    api: ApiSession,
    path: Path,
    details: Mapping[str, object],
    *,
    sidecars: Sequence[Path] = (),
    sidecar_fields: Mapping[Path, Mapping[str, object]] | None = None,
    on_part: OnPart | None = None,
    on_sidecar: OnSidecar | None = None,
) -> dict[str, Any]:
    """Upload a file, or resume its open upload, and complete it. Returns the API's upload.

    `details` are the fields of `POST /uploads` besides the file's name and size; `sidecar_fields` those of a subtitle file
    besides its name and content. Subtitle files go first: if the platform refuses one, no byte of the film is sent, and an
    upload that was opened for it is ended. `on_sidecar` gets the platform's answer for each.
    Raises `InputInvalid` for an unreadable file, `ApiProblem`, `PlatformUnavailable`.
    """
    for file in (path, *sidecars):
        if not file.is_file() or not os.access(file, os.R_OK):
            raise InputInvalid(
                f"{printable_name(str(file))} is not a readable file: check its path and its permissions.", field="file"
            )
    size = path.stat().st_size
    upload = await api.post(
        "/uploads",
        {"file_name": printable_name(path.name), "size_bytes": size, **_title_of(path, details), **details},
        repeat=True,
    )
    parts = cut_into_parts(size, int(upload["part_bytes"]))
    try:
        for sidecar in sidecars:
            answer = await _send_sidecar(api, upload["upload_id"], sidecar, (sidecar_fields or {}).get(sidecar, {}))
            if on_sidecar is not None:
                on_sidecar(answer)
    except ApiProblem:
        if not upload["resumed"]:
            await api.delete(f"/uploads/{upload['upload_id']}")
        raise
    stored = await _send_missing(api, path, upload, parts, on_part)
    finished = await api.post(f"/uploads/{upload['upload_id']}/complete", {"parts": stored}, repeat=True)
    return {**upload, **(finished or {})}


def printable_name(name: str) -> str:
    """A file's name as text that can be printed and sent.

    Invalid UTF-8, control characters, line breaks and backslashes are replaced; the name is cut at `MAX_NAME_CHARACTERS`.
    """
    text = os.fsencode(name).decode(errors="replace")
    printed = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]", "\N{REPLACEMENT CHARACTER}", text)
    return cut(printed, MAX_NAME_CHARACTERS)


def check_titles(files: Sequence[Path], details: Mapping[str, object]) -> None:
    """Raises `InputInvalid` for a title that cannot be used, and for a file whose name gives none, before anything is sent."""
    if "title" in details:
        if fault := title_fault(str(details["title"])):
            raise InputInvalid(fault, field="title")
        return
    for path in files:
        if "movie_id" not in details and not _is_utf8(path.name):
            raise InputInvalid(
                f"The name of {printable_name(path.name)} is not UTF-8, so no title can be made of it: "
                "give one with --title, or rename the file.",
                field="title",
            )


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in text)


def _title_of(path: Path, details: Mapping[str, object]) -> dict[str, object]:
    """The title of the name as it is, where the name that is sent differs from it."""
    if "movie_id" in details or not _is_utf8(path.name) or printable_name(path.name) == path.name:
        return {}
    return {"title": title_of(path.name)}


def cut_into_parts(size: int, part_bytes: int) -> list[Part]:
    """All parts of a file of `size` bytes."""
    numbers = range(1, parts_total(size, part_bytes) + 1)
    return [Part(n, (n - 1) * part_bytes, size_of_part(n, size, part_bytes)) for n in numbers]


async def _send_missing(
    api: ApiSession, path: Path, upload: Mapping[str, Any], parts: Sequence[Part], on_part: OnPart | None
) -> list[dict[str, object]]:
    """Send the parts that S3 does not hold. Returns all parts with their checksums, in order."""
    upload_id = upload["upload_id"]
    # S3 may hold two parts with the same number and different bytes, so a part is known by its checksum too.
    held = {(part["number"], part["checksum"]) for part in (await api.get(f"/uploads/{upload_id}/parts"))["parts"]}
    total = sum(part.size_bytes for part in parts)
    done_bytes = 0
    lanes = Lanes(MAX_CONCURRENT_PARTS)

    async def send(part: Part) -> dict[str, object]:
        nonlocal done_bytes
        body = await asyncio.to_thread(_read, path, part)
        checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
        reused = (part.number, checksum) in held
        if not reused:
            try:
                await _put_part(api, http, lanes, upload_id, part.number, body)
            except httpx.HTTPStatusError as error:
                raise PlatformUnavailable(_refusal(part, error.response.status_code)) from error
            except httpx.HTTPError as error:
                raise PlatformUnavailable(
                    f"Part {part.number} could not be stored: {error}. Run the upload again to resume it."
                ) from error
        done_bytes += part.size_bytes
        if on_part is not None:
            on_part(PartSent(upload_id, upload["movie_id"], part.number, len(parts), done_bytes, total, reused))
        return {"number": part.number, "size_bytes": part.size_bytes, "checksum": checksum}

    async with httpx.AsyncClient(timeout=PART_TIMEOUT, verify=api.verify) as http:
        return await gather_bounded(send, parts, max_concurrent=MAX_CONCURRENT_PARTS)


def _read(path: Path, part: Part) -> bytes:
    with path.open("rb") as file:
        file.seek(part.offset)
        body = file.read(part.size_bytes)
    if len(body) != part.size_bytes:
        raise InputInvalid(
            f"{printable_name(str(path))} became shorter during the upload: upload it again.", field="file"
        )
    return body


@retry(
    retry=retry_if_exception_type(httpx.HTTPError),
    stop=stop_all(stop_after_delay(PART_RETRY_SECONDS), stop_after_attempt(MIN_PART_ATTEMPTS)),
    wait=wait_random_exponential(multiplier=0.3, max=5),
    reraise=True,
)
async def _put_part(
    api: ApiSession, http: httpx.AsyncClient, lanes: Lanes, upload_id: str, number: int, body: bytes
) -> None:
    # A lane for each attempt: a part that waits for its next one leaves the line to the others.
    async with lanes.one():
        # A fresh URL for every try: the last one may have expired while S3 was down.
        urls = await api.post(f"/uploads/{upload_id}/parts", {"numbers": [number]}, repeat=True)
        # S3 refuses a part whose bytes changed on the way.
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = {"Content-MD5": md5, "Content-Length": str(len(body))}
        begun = time.monotonic()
        answer = await http.put(urls["parts"][0]["url"], content=_blocks(body), headers=headers)
        if answer.status_code == TOO_SLOW:
            lanes.too_slow()
        answer.raise_for_status()
        lanes.sent(len(body), time.monotonic() - begun)


async def _blocks(body: bytes) -> AsyncIterator[bytes]:
    # The client's time-out is for one write. A part in one write would have to be sent within it as a whole.
    for place in range(0, len(body), BLOCK_BYTES):
        yield body[place : place + BLOCK_BYTES]


def _refusal(part: Part, status: int) -> str:
    if status == TOO_SLOW:
        return (
            f"Part {part.number} was sent too slowly, also alone: this line is slower than the platform accepts "
            "(MARQUEE_UPLOAD_MIN_BYTES_PER_SECOND). Run the upload again on a faster line to resume it."
        )
    return f"Part {part.number} could not be stored: S3 answered {status}. Run the upload again to resume it."


async def _send_sidecar(api: ApiSession, upload_id: str, path: Path, fields: Mapping[str, object]) -> Mapping[str, Any]:
    """Send a subtitle file's bytes as they are: the platform finds their encoding out, and reads its language from the name."""
    if path.stat().st_size > MAX_SIDECAR_BYTES:
        raise InputInvalid(
            f"{printable_name(path.name)} has more than {MAX_SIDECAR_BYTES:,} bytes: no subtitle file is that large.",
            field="subtitles",
        )
    if path.stat().st_size == 0:
        raise InputInvalid(
            f"{printable_name(path.name)} is empty: leave it out, or give the whole file.", field="subtitles"
        )
    content = base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()
    body = {"file_name": printable_name(path.name), "content": content, **fields}
    answer: Mapping[str, Any] = await api.post(f"/uploads/{upload_id}/sidecars", body, repeat=True)
    return answer
