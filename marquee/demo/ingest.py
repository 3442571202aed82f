"""Ingests the demo's films through the public upload API. Titles that the platform already has are not uploaded again.

An upload that was interrupted, by Ctrl-C for example, is continued: its title exists already, and would otherwise wait for its
parts for ever.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.client.uploader import PartSent, upload_film
from marquee.demo.films import DemoFilm
from marquee.domain.lifecycle import TITLES_WITH_FILM
from marquee.platform.project import FIXTURES


class Display(Protocol):
    """Shows the progress; `marquee.cli.display.TitleDisplay` is one."""

    def add(self, title: str) -> Any: ...

    def part_sent(self, row: Any, sent: PartSent) -> None: ...

    def state_seen(self, row: Any, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class Ingested:
    title: str
    movie_id: str
    state: str
    reason: str | None
    ended_at: float | None
    """Reading of the monotonic clock; None for a title that existed before."""


async def known_titles(api: ApiSession) -> dict[str, dict[str, Any]]:
    """Title -> item of the API, for every title that is playable or being ingested."""
    known: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        page = await api.get("/titles", limit=100, cursor=cursor)
        known |= {item["title"]: item for item in page["titles"] if item["state"] in TITLES_WITH_FILM}
        cursor = page["next_cursor"]
        if cursor is None:
            return known


async def ingest_films(
    api: ApiSession, films: Sequence[tuple[DemoFilm, Path]], display: Display, *, seconds: float = 1800.0
) -> list[Ingested]:
    """Upload the missing films one after the other, and wait until each is playable or has failed, at most `seconds`."""
    known = await known_titles(api)
    for film, path in films:
        if film.title in known and await _waits_for_parts(api, path, known[film.title]["movie_id"]):
            del known[film.title]
    ingested = [
        Ingested(film.title, known[film.title]["movie_id"], known[film.title]["state"], None, None)
        for film, _ in films
        if film.title in known
    ]
    async with asyncio.TaskGroup() as group:
        following = []
        for film, path in films:
            if film.title not in known:
                row = display.add(film.title)
                upload = await _upload(api, film, path, display, row)
                following.append(group.create_task(_follow(api, film, upload, display, row, seconds)))
    return ingested + [task.result() for task in following]


async def _waits_for_parts(api: ApiSession, path: Path, movie_id: str) -> bool:
    found = await api.get("/uploads", file_name=path.name, size_bytes=path.stat().st_size)
    return any(one["movie_id"] == movie_id for one in found["uploads"])


async def _upload(api: ApiSession, film: DemoFilm, path: Path, display: Display, row: Any) -> dict[str, Any]:
    details: dict[str, object] = {
        "title": film.title,
        "year": film.year,
        "genres": list(film.genres),
        "description": film.description,
        "hot": film.hot,
    }
    sidecars = [FIXTURES / film.sidecar] if film.sidecar else []
    return await upload_film(api, path, details, sidecars=sidecars, on_part=lambda sent: display.part_sent(row, sent))


async def _follow(
    api: ApiSession,
    film: DemoFilm,
    upload: dict[str, Any],
    display: Display,
    row: Any,
    seconds: float,
) -> Ingested:
    ended = await follow_upload(
        api, upload["upload_id"], on_state=lambda state: display.state_seen(row, state), seconds=seconds
    )
    return Ingested(film.title, upload["movie_id"], ended["state"], ended.get("reason"), time.monotonic())
