"""The checks of `marquee check`: they use a running platform from outside, as its clients do.

Every check uses a public endpoint (the gateway, an edge, S3), Dagster's GraphQL, or a browser. A check that fails says what it
expected and what it saw. `run_checks` runs them in order; `kills` has the checks that kill processes.
"""

import asyncio
import contextlib
import json
import os
import re
import ssl
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import m3u8

from marquee.client.following import follow_upload
from marquee.client.session import ApiSession
from marquee.demo.browser import watch_and_resume
from marquee.demo.dagster_runs import green_run
from marquee.demo.films import BROKEN_FILM
from marquee.demo.report import Report, expect
from marquee.media.programs.binaries import ffmpeg, ffprobe
from marquee.media.programs.process import run
from marquee.settings import Settings
from marquee.stores.objects.origin import origin
from marquee.trust import trusted

INGEST_SECONDS = 600.0
FOLLOW_SECONDS = 90.0
RESUMED_TITLE = "The Resumed Reel"
MISSPELLED = "Resumd Reel"


async def fresh_copy(source: Path, folder: Path, name: str) -> Path:
    """Copy a film with another comment in its header. The bytes differ, so the platform does not know its content yet."""
    out = folder / name
    command = [str(ffmpeg()), "-v", "error", "-y", "-i", str(source), "-map", "0", "-c", "copy"]
    await run([*command, "-metadata", f"comment={os.urandom(8).hex()}", str(out)], timeout_seconds=120)
    return out


async def upload_killed_and_resumed(settings: Settings, reel: Path) -> dict[str, Any]:
    """Upload by the CLI, SIGKILL the command midway, run it again. Returns the ended upload.

    The second run must send only the parts that the first one had not sent. Raises `CheckFailed`.
    """
    with tempfile.TemporaryDirectory(prefix="marquee-check-") as folder:
        film = await fresh_copy(reel, Path(folder), "resumed_reel.mp4")
        arguments = ["upload", str(film), "--title", RESUMED_TITLE, "--genre", "Drama", "--hot", "--json"]
        sent = await _upload_until_part(settings, arguments, stop_after=2)
        events = await _upload_until_part(settings, arguments, stop_after=None)
    parts = [event for event in events if event["state"] == "uploading"]
    reused = [event["part"] for event in parts if event["reused"]]
    expect(len(reused) >= len(sent), f"{len(sent)} parts were safe before the kill, but only {reused} were reused")
    expect(len(reused) < len(parts), "every part was reused: the kill came too late to prove anything")
    async with await logged_in(settings) as api:
        ended = await follow_upload(api, events[-1]["upload_id"], seconds=INGEST_SECONDS)
    expect(ended["state"] == "playable", f"the resumed upload ended {ended['state']}: {ended.get('reason')}")
    return {**ended, "reused": len(reused), "parts": len(parts)}


async def _upload_until_part(
    settings: Settings, arguments: list[str], *, stop_after: int | None
) -> list[dict[str, Any]]:
    """Run the CLI; SIGKILL it after `stop_after` uploaded parts (None: never). Returns the objects that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "marquee.cli",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MARQUEE_STATE": str(settings.state)},
    )
    events: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(INGEST_SECONDS):
            assert process.stdout is not None
            async for line in process.stdout:
                events.append(json.loads(line))
                if stop_after is not None and len(events) >= stop_after:
                    process.kill()
                    break
            code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    expect(stop_after is not None or code == 0, f"`marquee upload` ended with {code} after {events[-1:]}")
    return events


async def logged_in(settings: Settings) -> ApiSession:
    """A session of the API, logged in as the first account."""
    api = ApiSession(settings.public, verify=trusted(settings.tls_authorities))
    await api.log_in(settings.email, settings.password.get_secret_value())
    return api


async def home_shows(api: ApiSession, movie_id: str) -> str:
    """A row of the home page shows the title. Like every check: returns a sentence, or raises `CheckFailed`."""
    home = await api.get("/home", limit=50)
    rows = [row["title"] for row in home["rows"] if any(item["movie_id"] == movie_id for item in row["items"])]
    expect(rows, f"no row of the home feed shows {movie_id}")
    return f"in {', '.join(rows)}"


async def search_finds(api: ApiSession, query: str, movie_id: str) -> str:
    """The search finds the title."""
    results = (await api.get("/search", q=query))["results"]
    found = [item["movie_id"] for item in results]
    expect(movie_id in found, f"{query!r} finds {[item['title'] for item in results]}")
    return f"{query!r} finds it at place {found.index(movie_id) + 1}"


async def stream_is_whole(api: ApiSession, movie_id: str) -> str:
    """An edge answers 200 for every file that the master playlist names, directly or not, and ffprobe reads the stream."""
    stream = await api.get("/stream", movie_id=movie_id)
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=8), verify=api.verify) as http:
        master = await http.get(stream["stream_url"])
        expect(master.status_code == 200, f"the master playlist answers {master.status_code}")
        playlist = m3u8.loads(master.text)
        expect(playlist.playlists, "the master playlist names no variant")
        media = [variant.uri for variant in playlist.playlists]
        media += [medium.uri for medium in playlist.media if medium.uri]
        media += [variant.uri for variant in playlist.iframe_playlists]
        urls = {urljoin(stream["stream_url"], uri) for uri in media}
        segments: set[str] = set()
        for url in sorted(urls):
            answer = await http.get(url)
            expect(answer.status_code == 200, f"{url} answers {answer.status_code}")
            listed = m3u8.loads(answer.text)
            segments |= {urljoin(url, segment.uri) for segment in listed.segments}
            segments |= {urljoin(url, part.uri) for part in listed.segment_map if part is not None}
        sprite = await http.get(stream["sprite_vtt_url"])
        expect(sprite.status_code == 200, f"the sprite's index answers {sprite.status_code}")
        sheets = {line.split("#")[0] for line in sprite.text.splitlines() if "#xywh=" in line}
        expect(sheets, "the sprite's index names no sheet")
        segments |= {urljoin(stream["sprite_vtt_url"], sheet) for sheet in sheets}
        segments |= {url for url in (stream["dash_url"], stream["poster_url"]) if url}
        answers = await asyncio.gather(*(http.get(url) for url in sorted(segments)))
        bad = [f"{answer.status_code} {answer.url}" for answer in answers if answer.status_code != 200]
        expect(not bad, f"{len(bad)} of {len(segments)} files are missing, such as {bad[:1]}")
    probed = await _probe(stream["stream_url"])
    expect(
        abs(probed - float(stream["duration_seconds"])) < 0.5,
        f"ffprobe reads {probed:.2f} s, the API says {stream['duration_seconds']} s",
    )
    return f"{len(playlist.playlists)} variants, {len(urls) + len(segments) + 2} files answer 200, {probed:.2f} s"


async def _probe(url: str) -> float:
    command = [str(ffprobe()), "-v", "error", "-of", "json", "-show_format", "-show_streams", url]
    done = await run(command, timeout_seconds=60)
    seen = json.loads(done.stdout)
    expect(any(stream["codec_type"] == "video" for stream in seen["streams"]), f"ffprobe finds no picture in {url}")
    return float(seen["format"]["duration"])


async def s3_refuses_who_has_no_login(settings: Settings, api: ApiSession, movie_id: str) -> str:
    """S3, which is a public endpoint too, refuses unsigned requests for files that the edges serve, and for listings."""
    stream = await api.get("/stream", movie_id=movie_id)
    urls = [stream[name] for name in ("stream_url", "dash_url", "poster_url", "sprite_vtt_url") if stream[name]]
    paths = [urlsplit(url).path for url in urls]
    # A stream's path is /v/{token}/{expires}/{session}/{key}, a picture's /{key}.
    keys = [re.sub(r"^/v/[^/]+/[0-9]+/(v_[^/]+/)?|^/", "", path) for path in paths]
    bucket = origin(settings.published, setting="MARQUEE_PUBLISHED_URL")
    verify: ssl.SSLContext | bool = True
    if bucket.authorities:
        verify = ssl.create_default_context(cafile=str(bucket.authorities))
    asked = [f"{bucket.scheme}://{bucket.host}{bucket.path}/{key}" for key in (*keys, "", "?list-type=2")]
    async with httpx.AsyncClient(timeout=20, verify=verify) as http:
        for url in asked:
            answer = await http.get(url)
            expect(answer.status_code in (403, 404), f"{url} answers {answer.status_code} to anybody")
    return f"{len(asked)} requests refused"


async def resume_rule_holds(api: ApiSession, movie_id: str) -> str:
    """A position below 95 % of the film is resumed; a position at 95 % restarts the film."""
    duration = float((await api.get("/stream", movie_id=movie_id))["duration_seconds"])
    for share, expected in ((0.5, duration * 0.5), (0.95, 0.0)):
        await api.post("/stream/progress", {"movie_id": movie_id, "position_seconds": duration * share})
        seen = (await api.get("/stream", movie_id=movie_id))["resume_position_seconds"]
        expect(
            abs(seen - expected) < 0.01, f"after a write at {share:.0%} it resumes at {seen} s, not {expected:.2f} s"
        )
    return f"50 % resumes at {duration / 2:.1f} s, 95 % at 0 s"


async def broken_file_is_refused(settings: Settings) -> str:
    """A file with a header and no film is refused: exit code 3 and a reason."""
    arguments = ["upload", str(BROKEN_FILM), "--title", "Header Only", "--wait", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "marquee.cli",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MARQUEE_STATE": str(settings.state)},
    )
    output, _ = await asyncio.wait_for(process.communicate(), INGEST_SECONDS)
    last = json.loads(output.splitlines()[-1])
    expect(process.returncode == 3, f"the exit code is {process.returncode}, not 3")
    expect(last["state"] == "refused" and last["reason"], f"a header without a film ended {last}")
    return str(last["reason"])


async def deleted_leaves_search(api: ApiSession, movie_ids: Sequence[str], query: str) -> str:
    """Delete these titles. Search and home must stop showing them within FOLLOW_SECONDS."""
    for movie_id in movie_ids:
        await api.delete(f"/titles/{movie_id}")
    deadline = asyncio.get_running_loop().time() + FOLLOW_SECONDS
    while True:
        results = (await api.get("/search", q=query, limit=50))["results"]
        home = await api.get("/home", limit=50)
        shown = {item["movie_id"] for item in results}
        shown |= {item["movie_id"] for row in home["rows"] for item in row["items"]}
        left = shown & set(movie_ids)
        if not left:
            return f"left search and home: {len(movie_ids)}"
        expect(asyncio.get_running_loop().time() < deadline, f"{sorted(left)} were deleted and are still offered")
        await asyncio.sleep(0.5)


async def run_checks(settings: Settings, reel: Path, report: Report, *, screenshots: Path | None = None) -> str:
    """Run all checks except the kills. Later checks use the title that the first one uploads. Returns its movie_id."""
    resumed: dict[str, Any] = {}
    async with report.check("upload by the CLI, killed once and resumed") as said:
        resumed = await upload_killed_and_resumed(settings, reel)
        said.append(f"{resumed['reused']} of {resumed['parts']} parts were not sent again")
    async with report.check("its run is green in Dagster") as said:
        said.append(f"run {await green_run(settings, resumed['upload_id'])}")
    async with await logged_in(settings) as api:
        movie_id = resumed.get("movie_id", "")
        async with report.check("home shows it") as said:
            said.append(await home_shows(api, movie_id))
        async with report.check("a misspelled title finds it") as said:
            said.append(await search_finds(api, MISSPELLED, movie_id))
        async with report.check("every file of the stream answers from an edge") as said:
            said.append(await stream_is_whole(api, movie_id))
        async with report.check("S3 refuses who has no login") as said:
            said.append(await s3_refuses_who_has_no_login(settings, api, movie_id))
        async with report.check("resume position and the 95 % rule") as said:
            said.append(await resume_rule_holds(api, movie_id))
        async with report.check("a broken file is refused with a reason") as said:
            said.append(await broken_file_is_refused(settings))
    async with report.check("the web client in Chromium: log in, search, play, resume") as said:
        said.append(
            await watch_and_resume(
                settings.public,
                settings.email,
                settings.password.get_secret_value(),
                query=MISSPELLED,
                title=RESUMED_TITLE,
                screenshots=screenshots,
                # A new browser profile does not know a private authority.
                certificate=settings.tls_certificate if settings.tls_authorities else "",
            )
        )
    return str(resumed.get("movie_id", ""))
