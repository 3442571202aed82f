"""The platform that the players play from, with one film in it. The film is encoded once, into the bench's state folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import m3u8

from bench.player.figures import Rung
from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.client.uploader import upload_film
from marquee.demo.ingest import known_titles
from marquee.demo.reel import make_reel
from marquee.media.programs import binaries, process
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings, load_settings

TITLE: Final = "The Long Line"
LOOPED: Final = Path(__file__).parents[3] / "shared" / "data" / "video" / "dev" / "sintel_720p_16s.mp4"
"""16 s of film in 720p, played in a loop. Where it is missing, the demo's reel is used."""
LOOPED_SECONDS: Final = 190
ENCODE_SECONDS: Final = 3600.0
WATCHING_ONLY: Final = (
    "transcode,search-sync,change-capture,outbox,housekeeping,edge-logs,"
    "dagster-code-ingest,dagster-code-analytics,dagster-webserver,dagster-daemon"
)
"""Programs that no viewer needs: they would take processor time from the players."""


@asynccontextmanager
async def platform(state: Path, port_base: int, film: Path | None) -> AsyncIterator[tuple[Settings, str]]:
    """Settings and the film's movie_id, while gateway, API, edges and engines run. `film`: another film to play."""
    title = TITLE if film is None else film.stem
    if not (state / f"{title}.encoded").is_file():
        await _encode(_settings(state, port_base, ""), title, film)
    settings = await start(_settings(state, port_base, WATCHING_ONLY), tied=True)
    try:
        async with await _logged_in(settings) as api:
            movie_id = (await known_titles(api))[title]["movie_id"]
            await _warm_edges(api, movie_id)
        yield settings, movie_id
    finally:
        await stop(settings)


def _settings(state: Path, port_base: int, without: str) -> Settings:
    # Every viewing logs in anew, in a browser that knows nothing.
    return load_settings(state=state, port_base=port_base, without=without, rate_limit_scale=1000.0)


async def _logged_in(settings: Settings) -> ApiSession:
    api = ApiSession(settings.public)
    await api.log_in(settings.email, settings.password.get_secret_value())
    return api


async def _encode(settings: Settings, title: str, film: Path | None) -> None:
    settings = await start(settings, tied=True)
    try:
        async with await _logged_in(settings) as api:
            if title not in await known_titles(api):
                path = film or await _default_film(settings.state)
                details = {"title": title, "genres": ["Drama"], "hot": True}
                upload = await upload_film(api, path, details, on_part=lambda _: None)
                ended = await follow_upload(api, upload["upload_id"], on_state=lambda _: None, seconds=ENCODE_SECONDS)
                if ended["state"] != "playable":
                    raise RuntimeError(f"{path} did not become playable: {ended}")
    finally:
        await stop(settings)
    await asyncio.to_thread((settings.state / f"{title}.encoded").touch)


async def _default_film(state: Path) -> Path:
    if not LOOPED.is_file():
        return await make_reel(state / "reel.mp4")
    out = state / "looped.mp4"
    argv: list[str | Path] = [binaries.picture_ffmpeg(), "-v", "error", "-y", "-stream_loop", "-1", "-i", LOOPED]
    await process.run([*argv, "-c", "copy", "-t", str(LOOPED_SECONDS), out], timeout_seconds=600)
    return out


async def stream_of(settings: Settings, movie_id: str) -> dict[str, Any]:
    """A new stream of the film: `stream_url` (HLS) and `dash_url`."""
    async with await _logged_in(settings) as api:
        return dict(await api.get("/stream", movie_id=movie_id))


async def rungs_of(stream_url: str) -> list[Rung]:
    """The master playlist's variants: average bandwidth, or the peak where no average is given."""
    async with httpx.AsyncClient(timeout=20) as http:
        variants = m3u8.loads((await http.get(stream_url)).text).playlists
    infos = [variant.stream_info for variant in variants]
    return [Rung(info.resolution[1], info.average_bandwidth or info.bandwidth) for info in infos]


async def _warm_edges(api: ApiSession, movie_id: str) -> None:
    """Fetch every file of the stream once from the edge, so that no player pays for the edge's first fetch from the store."""
    stream = await api.get("/stream", movie_id=movie_id)
    async with httpx.AsyncClient(timeout=30) as http:
        await http.get(stream["dash_url"])
        master = m3u8.loads((await http.get(stream["stream_url"])).text)
        media = {variant.uri for variant in master.playlists} | {medium.uri for medium in master.media if medium.uri}
        for uri in sorted(media):
            address = urljoin(stream["stream_url"], uri)
            listed = m3u8.loads((await http.get(address)).text)
            files = {each.uri for each in listed.segments} | {part.uri for part in listed.segment_map if part}
            for file in sorted(files):
                (await http.get(urljoin(address, file))).raise_for_status()
