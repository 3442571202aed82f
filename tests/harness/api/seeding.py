"""Puts titles into the catalogue in the state that the chain would leave, without running the chain."""

from collections.abc import Sequence

from marquee.documents import keys
from marquee.domain import ids
from marquee.stores.catalogue.values import Publication, TitleDetails, Upload
from marquee.stores.opened import Stores
from tests.harness.uploads import mark_completed, new_upload


class Seeder:
    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def ingesting(self, title: str = "A film", *, genres: Sequence[str] = ()) -> str:
        """The movie_id of a title whose upload is completed and whose chain is running."""
        return (await self._upload(title, genres)).movie_id

    async def playable(
        self, title: str = "A film", *, genres: Sequence[str] = (), duration_seconds: float = 600.0
    ) -> str:
        """The movie_id of a title that plays."""
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
                poster=f"{images}{keys.POSTER}",
                sprite_vtt=f"{images}{keys.SPRITE_INDEX}",
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
