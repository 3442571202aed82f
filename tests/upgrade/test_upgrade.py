"""Today's code on the state folder of a release before: titles play, positions are kept, accounts log in, ingest goes on.

The packed states are made by `make_state.py`, one a release, and are never made again: they are what users have.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import m3u8
import pytest

from tests.harness.servers import free_port_base

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
RELEASES = sorted(HERE.glob("state-*.tar.xz"))
MARQUEE = Path(sys.executable).with_name("marquee")

pytestmark = pytest.mark.timeout(600)


class Upgraded:
    """A release's state folder under today's code."""

    def __init__(self, packed: Path, folder: Path) -> None:
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        self.state = folder / "state"
        self.state.chmod(0o700)
        (self.state / "postgres").chmod(0o700)
        self.expected: dict[str, Any] = json.loads((self.state / "expected.json").read_text())
        self._environment = {
            **os.environ,
            "MARQUEE_STATE": str(self.state),
            "MARQUEE_PORT_BASE": str(free_port_base()),
            "MARQUEE_API_WORKERS": "1",
            "MARQUEE_TRANSCODE_WORKERS": "1",
        }
        self.public = ""

    def call(self, *words: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(MARQUEE), *words], env=self._environment, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, f"marquee {words[0]}: {done.stderr[-2000:]}"
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module", params=RELEASES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    platform = Upgraded(request.param, tmp_path_factory.mktemp("upgraded"))
    try:
        platform.public = platform.call("up", "--json")[-1]["web_client"]
        yield platform
    finally:
        platform.call("down")


@pytest.fixture
def api(upgraded: Upgraded) -> Iterator[httpx.Client]:
    """The API as the release's own viewer."""
    with httpx.Client(base_url=f"{upgraded.public}/api/v1", timeout=30) as client:
        answer = client.post("/sessions", json=upgraded.expected["account"])
        assert answer.status_code == 201, f"the account of the release cannot log in: {answer.text}"
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def test_there_is_a_state_of_the_first_release() -> None:
    assert "state-0.1.0.tar.xz" in {path.name for path in RELEASES}, "nothing proves an upgrade from 0.1.0"


def test_titles_play_from_where_their_viewer_was(upgraded: Upgraded, api: httpx.Client) -> None:
    for name, title in upgraded.expected["titles"].items():
        answer = api.get("/stream", params={"movie_id": title["movie_id"]})
        assert answer.status_code == 200, f"{name} does not play any more: {answer.text}"
        stream = answer.json()
        assert stream["resume_position_seconds"] == title["position_seconds"], f"{name} lost its viewer's position"
        _fetch_whole(stream["stream_url"])
        assert httpx.get(stream["poster_url"], timeout=10).status_code == 200, f"{name} has no poster"


def _fetch_whole(master_url: str) -> None:
    """Fetch every playlist below a master, and every segment that they name, through the edge."""
    with httpx.Client(timeout=10) as edge:
        master = m3u8.loads(edge.get(master_url).raise_for_status().text, uri=master_url)
        playlists = [one.absolute_uri for one in master.playlists]
        assert playlists, f"{master_url} names no rendition"
        playlists += [one.absolute_uri for one in master.media if one.uri]
        for url in dict.fromkeys(playlists):
            media = m3u8.loads(edge.get(url).raise_for_status().text, uri=url)
            assert media.segments, f"{url} names no segment"
            for segment in media.segments:
                edge.get(segment.absolute_uri).raise_for_status()


def test_titles_are_on_home_and_in_search(upgraded: Upgraded, api: httpx.Client) -> None:
    rows = api.get("/home").raise_for_status().json()["rows"]
    watching = next(row for row in rows if row["id"] == "continue-watching")
    movie_ids = {title["movie_id"] for title in upgraded.expected["titles"].values()}
    assert {item["movie_id"] for item in watching["items"]} == movie_ids, "continue watching lost a title"
    for name, title in upgraded.expected["titles"].items():
        found = api.get("/search", params={"q": name}).raise_for_status().json()
        assert title["movie_id"] in [hit["movie_id"] for hit in found["results"]], f"search does not find {name}"


def test_the_chain_goes_on_ingesting(upgraded: Upgraded) -> None:
    """Also by the account that the release made for the command line, with the secrets of its state folder."""
    film = PROJECT / "fixtures" / "test_sar.mp4"
    ended = upgraded.call("upload", "--wait", "--json", "--title", "After the upgrade", str(film))[-1]
    assert ended["state"] == "playable", ended
