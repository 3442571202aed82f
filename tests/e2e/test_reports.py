"""Every small input after a public report, through a whole running platform: what a viewer then sees, hears and reads.

`../shared/data/reports/README.md` says of each input what is right. The stages' own tests try more inputs of each kind.
"""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import m3u8
import numpy as np
import numpy.typing as npt
import pytest

from marquee.client.following import follow_upload
from marquee.client.session import ApiProblem, ApiSession
from marquee.client.uploader import upload_film
from marquee.concurrency import gather_bounded
from marquee.media.programs import binaries, process
from marquee.platform.supervisor.supervision import start, stop
from tests.harness.media import watched
from tests.harness.media.films import SHARED
from tests.harness.servers import make_test_settings
from tests.harness.stream_files import fetch_title

pytestmark = pytest.mark.soak

REPORTS = SHARED.parent / "reports"
MAX_CONCURRENT = 3
FILM = "film12.mp4"
ENCODINGS = {
    "old.fr.srt": "cp1252",
    "old.ru.srt": "cp1251",
    "old.el.srt": "cp1253",
    "old.cs.srt": "cp1250",
    "old.ar.srt": "cp1256",
    "old.ja.srt": "shift_jis",
    "utf16-mark.en.srt": "utf-16",
    "utf16-no-mark.en.srt": "utf-16-le",
    "characters.fa.srt": "utf-8-sig",
}
RATE = 8000
MAIN, OTHER, MUSIC = 300, 1200, 440
"""Hz: the main sound, what must not be mixed into it, and the sound of the films that have one sound alone."""


class Seen(NamedTuple):
    """One title from outside. `codes`: its notes'. `problem`: the API's, if the upload was refused at once."""

    state: str
    reason: str
    codes: set[str]
    folder: Path

    @property
    def media(self) -> list[m3u8.Media]:
        return list(m3u8.loads((self.folder / "master.m3u8").read_text()).media)


@pytest.fixture(scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Seen]]:
    """Each title by the name of its film, or of its subtitle file."""
    if not REPORTS.is_dir():
        pytest.skip("the shared folder of reports (../shared/data/reports) is not beside this checkout")
    state = tmp_path_factory.mktemp("reports")
    settings = await start(make_test_settings(state / "state", transcode_workers=2, max_concurrent_runs=3))
    films = [path for path in sorted(REPORTS.iterdir()) if path.suffix in {".mp4", ".mkv", ".ts"} and path.name != FILM]
    work: list[tuple[str, Path, list[Path]]] = [(path.name, path, []) for path in films]
    work += [(name, REPORTS / FILM, [REPORTS / name]) for name in ENCODINGS]
    try:
        async with ApiSession(settings.public) as api:
            await api.log_in(settings.email, settings.password.get_secret_value())
            # Few at once: on a busy machine, nineteen clients would be answered "try again".
            tried = await gather_bounded(
                lambda one: _ingest(api, *one, state / one[0]), work, max_concurrent=MAX_CONCURRENT
            )
            yield {name: title for (name, _, _), title in zip(work, tried, strict=True)}
    finally:
        await stop(settings)


async def _ingest(api: ApiSession, name: str, film: Path, sidecars: list[Path], folder: Path) -> Seen:
    try:
        uploaded = await upload_film(api, film, {"title": f"Report {name}"}, sidecars=sidecars)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise  # the platform is not up to it: nothing is said about the film
        return Seen("refused", problem.detail, set(), folder)
    ended = await follow_upload(api, uploaded["upload_id"], seconds=3000)
    if ended["state"] == "playable":
        await fetch_title(await api.get("/stream", movie_id=ended["movie_id"]), folder)
    return Seen(ended["state"], ended.get("reason") or "", {note["code"] for note in ended.get("notes", [])}, folder)


def playable(seen: dict[str, Seen], name: str) -> Seen:
    assert seen[name].state == "playable", f"{name} ended {seen[name].state}: {seen[name].reason}"
    return seen[name]


def words(title: Seen) -> str:
    """The text of all subtitle segments, as a player shows it."""
    paths = [path for one in watched.texts(title.folder) for path in (title.folder / one).parent.glob("*.vtt")]
    assert paths, "the title has no subtitles"
    return html.unescape("\n".join(re.sub(r"<[^>]*>", "", path.read_text()) for path in sorted(paths)))


async def loudness(title: Seen, playlist: str) -> dict[int, float]:
    """How loud each of the tones is in an audio rendition, from 0 to 1, and its length in seconds under the key 0."""
    path = watched.joined(title.folder, playlist)
    output = ("-ac", "1", "-ar", str(RATE), "-f", "f32le", "-")
    raw = (await process.run([binaries.ffmpeg(), "-v", "error", "-i", path, *output], timeout_seconds=60)).stdout
    samples = np.frombuffer(raw, np.float32)
    times = np.arange(len(samples)) / RATE
    waves = {tone: np.exp(-2j * np.pi * tone * times) for tone in (MAIN, OTHER, MUSIC)}
    return {0: len(samples) / RATE} | {tone: 2 * abs(np.mean(samples * wave)) for tone, wave in waves.items()}


async def picture(title: Seen, at_seconds: float) -> npt.NDArray[np.uint8]:
    """The largest rendition's picture at a time: rows x columns x RGB."""
    top = (await watched.variants(title.folder))[-1]
    output = ("-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    argv: list[str | Path] = [binaries.ffmpeg(), "-v", "error", "-ss", str(at_seconds), "-i", top.path, *output]
    raw = (await process.run(argv, timeout_seconds=60)).stdout
    return np.frombuffer(raw, np.uint8).reshape(top.height, top.width, 3)


@pytest.mark.parametrize("name", ENCODINGS)
async def test_every_line_of_text_survives(seen: dict[str, Seen], name: str) -> None:
    shown = words(playable(seen, name))
    lines = (REPORTS / name).read_bytes().decode(ENCODINGS[name]).splitlines()
    said = [html.unescape(line) for line in lines if line.strip() and "-->" not in line and not line.strip().isdigit()]
    assert said
    assert [line for line in said if line not in shown] == [], f"lost of {name}; shown is {shown[:300]}"


async def test_a_drawing_is_not_shown_as_its_coordinates(seen: dict[str, Seen]) -> None:
    shown = words(playable(seen, "ass-signs.mkv"))
    assert not re.search(r"\bm -?\d+ -?\d+ [lb] ", shown), shown
    assert re.search(r"[^\W\d]{2}", re.sub("WEBVTT.*", "", shown)), "no word is left"


@pytest.mark.parametrize("name", ["still-and-music.mp4", "still-and-music.mkv"])
async def test_a_still_picture_lasts_as_long_as_its_music(seen: dict[str, Seen], name: str) -> None:
    title = playable(seen, name)
    top = (await watched.variants(title.folder))[-1]
    heard = await loudness(title, watched.sounds(title.folder)[0])
    assert float(top.frames / top.rate) == pytest.approx(20, abs=0.1)
    assert heard[0] == pytest.approx(20, abs=0.1)
    assert heard[MUSIC] > 0.05


async def test_picture_and_sound_are_of_one_programme(seen: dict[str, Seen]) -> None:
    title = playable(seen, "two-programmes-sd-hd.ts")
    red, _, blue = (await picture(title, 2)).mean(axis=(0, 1))
    own, others = (MAIN, OTHER) if red > blue else (OTHER, MAIN)
    playlists = watched.sounds(title.folder)
    assert len(playlists) == 1, "a track of the other programme is offered"
    heard = await loudness(title, playlists[0])
    assert heard[own] > 0.05 > 0.005 > heard[others], heard


async def test_a_commentary_is_a_track_of_its_own_and_not_the_default(seen: dict[str, Seen]) -> None:
    title = playable(seen, "mono-commentary.mkv")
    tracks = {one.uri: one for one in title.media if one.type == "AUDIO" and one.group_id != "low"}
    assert len(tracks) == 2, "there are two tracks in the film"
    heard = {uri: await loudness(title, uri) for uri in tracks}
    main = max(tracks, key=lambda uri: heard[uri][MAIN])
    (commentary,) = {*tracks} - {main}
    assert heard[main][OTHER] < 0.005, "the commentary is mixed into the film's sound"
    assert heard[commentary][OTHER] > 0.05
    assert (tracks[main].default, tracks[commentary].default) == ("YES", "NO")
    assert "ommentary" in tracks[commentary].name
    assert 'value="commentary"' in (title.folder / "manifest.mpd").read_text()


async def test_captions_inside_the_picture_can_be_switched_on(seen: dict[str, Seen]) -> None:
    title = playable(seen, "captions-608.mp4")
    assert words(title).strip()
    top = (await watched.variants(title.folder))[-1]
    argv: list[str | Path] = [
        binaries.ffprobe(),
        "-v",
        "error",
        "-show_frames",
        "-select_streams",
        "v:0",
        "-of",
        "compact",
        top.path,
    ]
    frames = await process.run(argv, timeout_seconds=60)
    assert b"Closed Captions" not in frames.stdout, "captions stay in the encode, where no manifest declares them"


async def test_dolby_vision_5_is_refused_by_its_name(seen: dict[str, Seen]) -> None:
    title = seen["dolby-vision-5.mp4"]
    assert title.state == "refused"
    assert "Dolby Vision" in title.reason


async def test_a_circle_stays_round_when_the_aspect_flag_changes(seen: dict[str, Seen]) -> None:
    title = playable(seen, "aspect-switch.ts")
    for at_seconds in (0.5, 3.4):
        light = (await picture(title, at_seconds)).mean(axis=2) > 128
        width, height = np.ptp(np.flatnonzero(light.any(axis=0))) + 1, np.ptp(np.flatnonzero(light.any(axis=1))) + 1
        assert width / height == pytest.approx(1, abs=0.03), f"at {at_seconds} s"


async def test_the_uploader_is_told_that_a_title_is_silent(seen: dict[str, Seen]) -> None:
    assert "silent" in playable(seen, "sound-unknown.mp4").codes


async def test_the_known_one_of_two_tracks_is_heard_and_the_other_reported(seen: dict[str, Seen]) -> None:
    title = playable(seen, "spatial-1.mp4")
    (playlist,) = watched.sounds(title.folder)
    assert (await loudness(title, playlist))[MUSIC] > 0.05
    assert "sound-undecodable" in title.codes
