"""Steps of a title's life that the catalogue's suites share, each by the contract's own methods."""

from dataclasses import replace

import psycopg

from marquee.documents import (
    BackdropPicture,
    OfferedPicture,
    OfferedSound,
    OfferedText,
    OfferedTracks,
    SearchDocument,
)
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Publication, TitleDetails, Upload
from tests.harness.uploads import mark_completed, new_upload

DETAILS = TitleDetails(
    "Léon: The Professional",
    year=1994,
    description="A hitman and a girl.",
    genres=("Crime", "Drama"),
    people=("Jean Reno", "Natalie Portman"),
    aka=("Der Profi",),
    votes=1000,
)


async def opened(catalogue: Catalogue, movie_id: str | None = None, details: TitleDetails = DETAILS) -> Upload:
    """An open upload: of a new title, or of the next version of one."""
    if movie_id is not None:
        return await catalogue.uploads.open(new_upload(movie_id=movie_id), None)
    return await catalogue.uploads.open(new_upload(), details)


async def ingesting(catalogue: Catalogue, movie_id: str | None = None, details: TitleDetails = DETAILS) -> Upload:
    return await mark_completed(catalogue.uploads, await opened(catalogue, movie_id, details))


def publication_of(movie_id: str, version: int) -> Publication:
    prefix = f"{movie_id}/v{version}"
    return Publication(
        movie_id=movie_id,
        version=version,
        duration_seconds=100.0 + version,
        manifest=f"{prefix}/master.m3u8",
        dash=f"{prefix}/manifest.mpd",
        poster=f"{prefix}/poster.jpg",
        sprite_vtt=f"{prefix}/sprite.vtt",
        backdrop=[BackdropPicture(key=f"{prefix}/backdrop-640.jpg", width=640, height=360)],
        tracks=OfferedTracks(
            picture=OfferedPicture(name="360p", width=640, height=360),
            sound=[OfferedSound(language="fr", label="French", channels=6, role="description")],
            text=[OfferedText(language="und", label="Subtitles", forced=True)],
        ),
    )


async def playable(catalogue: Catalogue, details: TitleDetails = DETAILS) -> str:
    """The movie_id of a title that was published."""
    upload = await ingesting(catalogue, details=details)
    await catalogue.versions.publish(publication_of(upload.movie_id, upload.version))
    return upload.movie_id


async def documents(catalogue: Catalogue) -> dict[str, SearchDocument]:
    return {document.movie_id: document async for document in catalogue.titles.documents()}


def captured_row(url: str, movie_id: str) -> tuple[int, bool] | None:
    """What change capture sees of a title: its revision, and whether it has a document."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT revision, document IS NOT NULL FROM title_document WHERE movie_id = %s", [movie_id]
        ).fetchone()
    return None if row is None else (row[0], row[1])


def renamed(title: str, details: TitleDetails = DETAILS) -> TitleDetails:
    return replace(details, title=title)
