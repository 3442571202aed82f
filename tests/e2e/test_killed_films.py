"""A film with a commentary, captions inside its picture and a sidecar, killed at each stage: the outcome is the undisturbed one.

SIGKILL hits the run's process, a transcode worker, or the code server. Every title must have the same manifests, playlists,
subtitles, notes and pictures of the same sizes as the title of the same film that met no kill.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.client.uploader import upload_film
from marquee.demo.dagster_runs import process_of_run
from marquee.media.programs import binaries, process
from marquee.platform.supervisor.supervision import Supervisor, start, stop
from marquee.settings import Settings
from tests.harness.media.films import SHARED
from tests.harness.servers import make_test_settings
from tests.harness.stream_files import fetch_title

pytestmark = pytest.mark.soak

REPORTS = SHARED.parent / "reports"
SECONDS = 3000.0
RUN, WORKER, CODE_SERVER = "run", "transcode-1", "dagster-code-ingest"
KILLS = [
    *((RUN, stage) for stage in ("source", "renditions", "streams", "subtitles", "quality", "images", "manifest")),
    (WORKER, "renditions"),
    *((CODE_SERVER, stage) for stage in ("source", "renditions", "subtitles", "manifest")),
]


class Outcome(NamedTuple):
    """What a title became. `killed`: whether the kill met it."""

    state: str
    reason: str
    notes: list[tuple[str, str]]
    texts: dict[str, str]
    sizes: dict[str, int]
    killed: bool


class Titles(NamedTuple):
    undisturbed: Outcome
    killed: dict[tuple[str, str], Outcome]


async def _film(folder: Path, number: int) -> Path:
    """Captions in the picture and two mono tracks. Each copy has other bytes, so that no chunk of another one is taken."""
    out = folder / f"film-{number}.mkv"
    inputs = [item for name in ("captions-608.mp4", "mono-commentary.mkv") for item in ("-i", str(REPORTS / name))]
    mapped = ["-map", "0:v", "-map", "1:a", "-c", "copy", "-metadata", f"comment={number}", str(out)]
    await process.run([binaries.ffmpeg(), "-v", "error", "-y", *inputs, *mapped], timeout_seconds=60)
    return out


async def _kill_at(settings: Settings, api: ApiSession, upload_id: str, victim: str, stage: str) -> bool:
    """Kill the victim as soon as the film is at this stage. False if the stage had passed before."""
    while True:
        state = await api.get(f"/uploads/{upload_id}")
        if state["stage"] == stage:
            break
        if state["state"] not in {"uploading", "queued", "ingesting"}:
            return False
        await asyncio.sleep(0.05)
    if victim == RUN:
        pid = await process_of_run(settings, upload_id)
    else:
        pid = (await Supervisor(settings).process(victim)).pid
    with contextlib.suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)
    return bool(pid)


async def _outcome(
    settings: Settings, api: ApiSession, folder: Path, number: int, victim: str = "", stage: str = ""
) -> Outcome:
    film = await _film(folder, number)
    sidecar = REPORTS / "old.fr.srt"
    uploaded = await upload_film(api, film, {"title": f"Killed {number}"}, sidecars=[sidecar])
    killed = bool(victim) and await _kill_at(settings, api, uploaded["upload_id"], victim, stage)
    ended = await follow_upload(api, uploaded["upload_id"], seconds=SECONDS)
    out = folder / f"title-{number}"
    if ended["state"] == "playable":
        await fetch_title(await api.get("/stream", movie_id=ended["movie_id"]), out)
    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    return Outcome(
        ended["state"],
        ended.get("reason") or "",
        sorted((note["code"], note["sentence"]) for note in ended.get("notes", [])),
        {name: path.read_text() for name, path in files.items() if path.suffix in {".m3u8", ".mpd", ".vtt"}},
        {name: path.stat().st_size for name, path in files.items()},
        killed,
    )


@pytest.fixture(scope="module")
async def titles(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Titles]:
    if not REPORTS.is_dir():
        pytest.skip("the shared folder of reports (../shared/data/reports) is not beside this checkout")
    folder = tmp_path_factory.mktemp("killed")
    settings = await start(make_test_settings(folder / "state", transcode_workers=2, max_concurrent_runs=2))
    try:
        async with ApiSession(settings.public) as api:
            await api.log_in(settings.email, settings.password.get_secret_value())
            undisturbed = await _outcome(settings, api, folder, 0)
            # One at a time: each kill meets one film only.
            killed = {
                kill: await _outcome(settings, api, folder, number, *kill) for number, kill in enumerate(KILLS, start=1)
            }
            yield Titles(undisturbed, killed)
    finally:
        await stop(settings)


async def test_the_undisturbed_film_has_all_its_tracks(titles: Titles) -> None:
    made = titles.undisturbed
    assert made.state == "playable", made.reason
    assert sum("TYPE=SUBTITLES" in line for line in made.texts["master.m3u8"].splitlines()) == 2
    assert 'value="commentary"' in made.texts["manifest.mpd"]


@pytest.mark.parametrize("kill", KILLS, ids=[f"{victim}-at-{stage}" for victim, stage in KILLS])
async def test_a_killed_film_comes_out_as_the_undisturbed_one(titles: Titles, kill: tuple[str, str]) -> None:
    made, expected = titles.killed[kill], titles.undisturbed
    if not made.killed:
        pytest.skip("the stage had passed before its kill")
    assert made.state == "playable", made.reason
    assert made.notes == expected.notes
    assert made.texts == expected.texts
    assert made.sizes == expected.sizes
