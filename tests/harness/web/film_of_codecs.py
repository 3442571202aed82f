"""A title in H.264 and AV1, packaged and published as the chain does it: two rungs a codec, 12 s, both manifests."""

from pathlib import Path
from typing import Final

from marquee.documents import keys
from marquee.stores.opened import Stores
from tests.harness.api.seeding import TRACKS, Seeder
from tests.harness.media import profiles
from tests.harness.media.films import made
from tests.harness.media.whole import ingested

TITLE: Final = "The Two Lamps"
SECONDS: Final = 12
_TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
}


async def publish_film_of_codecs(stores: Stores, folder: Path) -> str:
    """Make the title, publish it, and return its movie_id."""
    film = await made(
        folder / "film.mp4",
        f"testsrc2=size=320x180:rate=25:duration={SECONDS}[out0];sine=frequency=440:duration={SECONDS}[out1]",
        vcodec="libx264",
        acodec="aac",
        preset="ultrafast",
        pix_fmt="yuv420p",
    )
    title = await ingested(film, folder, scored=False, profile=profiles.several(profiles.AV1, lines=(90, 180)))
    assert not title.findings, title.findings
    movie_id = await Seeder(stores).playable(TITLE, duration_seconds=SECONDS, tracks=TRACKS)
    prefix = keys.published_prefix(movie_id, 1)
    for path in (one for one in title.folder.rglob("*") if one.suffix in _TYPES):
        name = path.relative_to(title.folder).as_posix()
        await stores.published.put(prefix + name, path.read_bytes(), content_type=_TYPES[path.suffix])
    return movie_id
