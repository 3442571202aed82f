"""Every file of a title's stream, fetched from an edge as a player would, into a folder of the same shape."""

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import m3u8

from marquee.concurrency import gather_bounded

MAX_CONCURRENT_FETCHES = 4


async def fetch_title(stream: dict[str, Any], folder: Path) -> None:
    """`stream` is the API's answer; afterwards `folder` holds master.m3u8, the media playlists and all that they name.

    Raises `httpx.HTTPStatusError` for a file that the edge does not serve.
    """
    async with httpx.AsyncClient(timeout=60) as http:

        async def fetch(url: str, below: str) -> bytes:
            answer = (await http.get(url)).raise_for_status()
            path = folder / below
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answer.content)
            return answer.content

        base = stream["stream_url"]
        master = m3u8.loads((await fetch(base, "master.m3u8")).decode())
        await fetch(stream["dash_url"], "manifest.mpd")
        named = [one.uri for one in master.playlists] + [one.uri for one in master.media if one.uri]
        named += [one.uri for one in master.iframe_playlists]
        wanted: dict[str, str] = {}
        for name in dict.fromkeys(named):
            playlist = m3u8.loads((await fetch(urljoin(base, name), name)).decode())
            for uri in [*(one.uri for one in playlist.segments), *(one.uri for one in playlist.segment_map if one)]:
                below = urljoin(name, uri)
                wanted[below] = urljoin(base, below)

        async def fetch_segment(below: str) -> bytes:
            return await fetch(wanted[below], below)

        await gather_bounded(fetch_segment, wanted, max_concurrent=MAX_CONCURRENT_FETCHES)
        sprite = (await fetch(stream["sprite_vtt_url"], "images/sprite.vtt")).decode()
        sheets = {line.split("#")[0] for line in sprite.splitlines() if "#xywh=" in line}
        await fetch(stream["poster_url"], "images/poster.jpg")
        for sheet in sheets:
            await fetch(urljoin(stream["sprite_vtt_url"], sheet), f"images/{sheet}")
