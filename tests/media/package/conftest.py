"""A packaged title with its manifests, as published: made once for the tests of this folder."""

from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from marquee.documents import StreamsDocument, SubtitlesDocument, Thumbnails, keys
from marquee.media.encode.join import join_rendition
from marquee.media.package.manifest import master_playlist, mpd
from marquee.media.package.packager import package
from marquee.media.pictures.images import make_images
from marquee.media.pictures.thumbnails import write_thumbnails
from marquee.media.sound.audio import encode_audio
from marquee.media.text.subtitles import SidecarFile, extract_subtitles
from tests.harness.media.packaging import Title, a_plan, a_rung, a_source, ffmpeg, make_chunks, sound


@pytest.fixture(scope="package")
async def title(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StreamsDocument, SubtitlesDocument]:
    """A packaged title of two rungs, stereo and surround, and subtitles, with its manifests, as published."""
    folder = tmp_path_factory.mktemp("title")
    rate, frames = Fraction(25), 475
    renditions = []
    for rung in (a_rung("90p", 160, 90), a_rung("180p", 320, 180)):
        (folder / rung.name).mkdir()
        parts = await make_chunks(folder / rung.name, rate, [300, 175], size=f"{rung.width}x{rung.height}")
        joined = folder / f"{rung.name}.mp4"
        await join_rendition(parts, joined, frame_rate=rate, frames=frames)
        renditions.append((rung, joined))
    film = folder / "film.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "aevalsrc=0.1*sin(880*t)|0|0.2*sin(550*t)|0|0|0:s=48000:c=5.1:d=19"),
        *("-f", "lavfi", "-i", "sine=duration=19", "-map", "0", "-map", "1", "-c:a", "ac3", film),
    )
    source = a_source(audio=[sound(0, 6, language="eng", default=True), sound(1, 1, language="fra")])
    plan = a_plan(rate, frames, *(rung for rung, _ in renditions))
    out = folder / "out"
    made = await encode_audio(source, film, folder / "audio", duration_seconds=plan.duration_seconds)
    streams = await package(plan, renditions, [*made.renditions, *made.low], out)
    (folder / "text.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nNow\n")
    sidecar = SidecarFile(path=folder / "text.srt", file_name="text.srt", language="eng")
    texts = await extract_subtitles(source, film, [sidecar], out, duration_seconds=plan.duration_seconds)
    pictures = await make_images(
        renditions[-1][1], folder / "images", duration_seconds=plan.duration_seconds, width=320, height=180
    )
    sheets = write_thumbnails(pictures, out, duration_seconds=plan.duration_seconds)
    (folder / "thumbnails.json").write_bytes(msgspec.json.encode(sheets))
    (out / keys.MASTER_PLAYLIST).write_text(master_playlist(streams, texts, sheets))
    (out / keys.MPD).write_text(mpd(streams, texts, sheets))
    return out, streams, texts


@pytest.fixture(scope="package")
def thumbnails(title: Title) -> Thumbnails:
    """The title's sheets, as its manifests name them."""
    return msgspec.json.decode((title[0].parent / "thumbnails.json").read_bytes(), type=Thumbnails)
