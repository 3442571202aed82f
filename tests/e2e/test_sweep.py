"""Every real film and every broken file that there is, and odd ones made on the spot, through a whole running platform.

All are uploaded by the client that everybody uses and followed to their end; then each is looked at from outside: what plays is
fetched from an edge, decoded and held against its master; what is refused has its reason and leaves nothing behind.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from marquee.client.following import follow_upload
from marquee.client.session import ApiProblem, ApiSession
from marquee.client.uploader import upload_film
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from tests.harness.media import likeness, odd_files, odd_pictures, odd_sounds, odd_times, pattern, watched
from tests.harness.media.expected import NOISE, Accepted, outcome
from tests.harness.media.films import SHARED
from tests.harness.media.odd import OddFilm
from tests.harness.servers import make_test_settings
from tests.harness.stream_files import fetch_title

pytestmark = pytest.mark.soak

FOLDERS = ("fixtures", "dev", "derived", "broken")
WORKERS = min(2, os.cpu_count() or 1)
MAX_CONCURRENT_UPLOADS = 8
INGEST_SECONDS = 3000.0
ODD = [
    one
    for one in [*odd_pictures.FILMS, *odd_times.FILMS, *odd_sounds.FILMS, *odd_files.FILMS]
    if not one.soak and one.name not in {"wide-4096x16.mkv", "tiny-1x1.mkv"}
]
FILES = [path for folder in FOLDERS for path in sorted((SHARED / folder).glob("*"))]


class Ended(NamedTuple):
    path: Path
    movie_id: str | None
    state: str
    reason: str | None
    seconds: float


class Swept(NamedTuple):
    settings: Settings
    ended: dict[str, Ended]
    """By the file's folder and name."""


@pytest.fixture(scope="module")
async def swept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Swept]:
    """A platform that everything was uploaded to, each file followed to its end."""
    if not SHARED.is_dir():
        pytest.skip("the shared media folder (../shared/data/video) is not beside this checkout")
    state = tmp_path_factory.mktemp("sweep")
    settings = await start(make_test_settings(state / "state", transcode_workers=WORKERS, max_concurrent_runs=3))
    try:
        made = state / "odd"
        made.mkdir()
        for one in ODD:
            (made / one.name).parent.mkdir(exist_ok=True)
            await one.make(made / one.name)
        places = asyncio.Semaphore(MAX_CONCURRENT_UPLOADS)
        async with ApiSession(settings.public) as api:
            await api.log_in(settings.email, settings.password.get_secret_value())
            paths = [*FILES, *(made / one.name for one in ODD)]
            ended = await asyncio.gather(*(_ingest(api, path, places) for path in paths))
        yield Swept(settings, {f"{one.path.parent.name}/{one.path.name}": one for one in ended})
    finally:
        await stop(settings)


async def _ingest(api: ApiSession, path: Path, places: asyncio.Semaphore) -> Ended:
    started = time.monotonic()
    async with places:
        try:
            uploaded = await upload_film(api, path, {"title": title_of(path)})
        except ApiProblem as problem:
            return Ended(path, None, "refused", problem.detail, time.monotonic() - started)
    state = await follow_upload(api, uploaded["upload_id"], seconds=INGEST_SECONDS)
    return Ended(path, state["movie_id"], state["state"], state.get("reason"), time.monotonic() - started)


def title_of(path: Path) -> str:
    return f"Sweep {path.parent.name} {path.name}"


@pytest.fixture
async def api(swept: Swept) -> AsyncIterator[ApiSession]:
    async with ApiSession(swept.settings.public) as api:
        await api.log_in(swept.settings.email, swept.settings.password.get_secret_value())
        yield api


async def fetched(api: ApiSession, ended: Ended, folder: Path) -> dict[str, Any]:
    """The title's whole stream in `folder`; it must play."""
    assert ended.state == "playable", f"{ended.path.name} ended {ended.state}: {ended.reason}"
    stream: dict[str, Any] = await api.get("/stream", movie_id=ended.movie_id)
    await fetch_title(stream, folder)
    return stream


async def image_findings(folder: Path, top: watched.Variant) -> list[str]:
    """Poster and sprite sheets can be opened, and the poster has the film's shape."""
    found = []
    with Image.open(folder / "images" / "poster.jpg") as poster:
        poster.load()
        if abs(poster.width / poster.height * top.height / top.width - 1) > 0.02 + 2 / min(poster.size):
            found.append(f"The poster is {poster.width}x{poster.height} of {top.width}x{top.height}.")
    sheets = list((folder / "images").glob("sprite*.jpg"))
    if not sheets:
        found.append("There is no sprite.")
    for sheet in sheets:
        with Image.open(sheet) as sprite:
            sprite.load()
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
async def test_a_real_file_ends_right(swept: Swept, api: ApiSession, path: Path, tmp_path: Path) -> None:
    ended = swept.ended[f"{path.parent.name}/{path.name}"]
    expected = outcome(path.parent.name, path.name)
    if isinstance(expected, str):
        assert ended.state == "refused", f"it ended {ended.state}"
        assert re.search(expected, ended.reason or ""), ended.reason
        return
    stream = await fetched(api, ended, tmp_path)
    made = await watched.variants(tmp_path)
    top = made[-1]
    seconds = float(top.frames / top.rate)
    assert abs(float(stream["duration_seconds"]) - seconds) < 0.001
    told = expected.seconds if isinstance(expected, Accepted) else None
    findings = await likeness.title_findings(path, tmp_path, seconds=told, noise=path.name in NOISE)
    findings += await image_findings(tmp_path, top)
    findings += await watched.missing_track_findings(path, tmp_path)
    assert findings == []


@pytest.mark.parametrize("one", ODD, ids=lambda one: one.name)
async def test_an_odd_film_ends_right(swept: Swept, api: ApiSession, one: OddFilm, tmp_path: Path) -> None:
    ended = swept.ended[f"odd/{one.name}"]
    if isinstance(one.outcome, str):
        assert ended.state == "refused", f"it ended {ended.state}"
        assert re.search(one.outcome, ended.reason or ""), ended.reason
        return
    await fetched(api, ended, tmp_path)
    top = (await watched.variants(tmp_path))[-1]
    findings = await pattern.findings(one.outcome, ended.path, tmp_path)
    findings += await image_findings(tmp_path, top)
    assert findings == []


async def test_what_was_refused_leaves_nothing(swept: Swept, api: ApiSession) -> None:
    """No title to be found or offered, no object where viewers read, no stage document, no work under way."""
    refused = [one for one in swept.ended.values() if one.state != "playable" and one.movie_id]
    assert refused, "nothing was refused: the sweep cannot have seen the broken files"
    home = await api.get("/home", limit=50)
    offered = {item["movie_id"] for row in home["rows"] for item in row["items"]}
    async with open_stores(swept.settings) as stores:
        for one in refused:
            assert one.movie_id not in offered, f"home offers {one.path.name}"
            found = (await api.get("/search", q=title_of(one.path), limit=20))["results"]
            assert one.movie_id not in {item["movie_id"] for item in found}, f"search offers {one.path.name}"
            for bucket, prefix in (
                (stores.published, f"{one.movie_id}/"),
                (stores.published, f"images/{one.movie_id}/"),
                (stores.objects, f"titles/{one.movie_id}/"),
            ):
                left = [info.key async for info in bucket.list(prefix)]
                assert left == [], f"{one.path.name} left {left[:3]}"
        depth = await stores.job_queue.count_by_state()
    assert {state: count for state, count in depth.items() if state in ("queued", "leased")} == {}


async def test_every_playable_title_is_found(swept: Swept, api: ApiSession) -> None:
    for one in swept.ended.values():
        if one.state == "playable":
            found = (await api.get("/search", q=title_of(one.path), limit=20))["results"]
            assert one.movie_id in {item["movie_id"] for item in found}, f"search does not find {one.path.name}"


async def test_the_sweep_is_counted(swept: Swept, capsys: pytest.CaptureFixture[str]) -> None:
    states = [one.state for one in swept.ended.values()]
    figures = {state: states.count(state) for state in sorted(set(states))}
    slowest = max(swept.ended.values(), key=lambda one: one.seconds)
    told = {"files": len(states), **figures, "slowest": slowest.path.name, "seconds": round(slowest.seconds)}
    with capsys.disabled():
        sys.stdout.write(json.dumps(told) + "\n")
    assert set(states) <= {"playable", "refused"}, "an ingest ended neither playable nor refused"
