"""Puts titles into the catalogue in the state that the chain would leave, without running the chain."""

from collections.abc import Sequence
from typing import Final

from marquee.documents import (
    BackdropPicture,
    OfferedPicture,
    OfferedSound,
    OfferedText,
    OfferedTracks,
    keys,
)
from marquee.domain import ids
from marquee.stores.catalogue.values import Publication, TitleDetails, Upload
from marquee.stores.opened import Stores
from tests.harness.uploads import mark_completed, new_upload

TRACKS: Final = OfferedTracks(
    picture=OfferedPicture(name="720p", width=1280, height=720),
    sound=[
        OfferedSound(language="en", label="English", channels=2),
        OfferedSound(language="en", label="English (commentary)", channels=2, role="commentary"),
        OfferedSound(language="fr", label="French", channels=6),
    ],
    text=[
        OfferedText(language="en", label="English (SDH)", hearing_impaired=True),
        OfferedText(language="de", label="German (forced)", forced=True),
    ],
)


class Seeder:
    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def ingesting(self, title: str = "A film", *, genres: Sequence[str] = ()) -> str:
        """The movie_id of a title whose upload is completed and whose chain is running."""
        return (await self._upload(title, genres)).movie_id

    async def playable(
        self,
        title: str = "A film",
        *,
        genres: Sequence[str] = (),
        duration_seconds: float = 600.0,
        backdrop_widths: Sequence[int] = (),
        tracks: OfferedTracks | None = None,
    ) -> str:
        """The movie_id of a title that plays. Without backdrop and tracks, as an earlier release published it."""
        upload = await self._upload(title, genres)
        movie_id, version = upload.movie_id, upload.version
        streams, images = keys.published_prefix(movie_id, version), keys.images_prefix(movie_id, version)
        await self._stores.catalogue.versions.publish(
            Publication(
                movie_id=movie_id,
                version=version,
                duration_seconds=duration_seconds,
                manifest=f"{streams}{keys.MASTER_PLAYLIST}",
                dash=f"{streams}{keys.MPD}",
                poster=f"{images}{keys.poster(640, 360)}",
                sprite_vtt=f"{images}{keys.SPRITE_INDEX}",
                backdrop=[
                    BackdropPicture(key=f"{images}{keys.backdrop(width)}", width=width, height=width * 9 // 16)
                    for width in backdrop_widths
                ],
                tracks=tracks,
            )
        )
        return movie_id

    async def announced(self, title: str) -> str:
        movie_id = ids.new_movie_id()
        await self._stores.catalogue.titles.announce([(movie_id, TitleDetails(title=title))])
        return movie_id

    async def _upload(self, title: str, genres: Sequence[str]) -> Upload:
        details = TitleDetails(title=title, genres=tuple(genres))
        uploads = self._stores.catalogue.uploads
        return await mark_completed(uploads, await uploads.open(new_upload(), details))
