"""Titles put into the catalogue as the chain would leave them, without the chain."""

from collections.abc import Sequence
from datetime import UTC, datetime

from marquee.documents import keys
from marquee.domain import ids
from marquee.stores.catalogue.values import Publication, TitleDetails, Upload
from marquee.stores.opened import Stores


class Seeder:
    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def ingesting(self, title: str = "A film", *, genres: Sequence[str] = ()) -> str:
        """A title whose upload was completed and whose chain runs; its movie_id."""
        return (await self._upload(title, genres)).movie_id

    async def playable(
        self, title: str = "A film", *, genres: Sequence[str] = (), duration_seconds: float = 600.0
    ) -> str:
        """A title that plays; its movie_id."""
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
        upload_id = ids.new_upload_id()
        now = datetime.now(UTC)
        upload = await self._stores.catalogue.uploads.open(
            Upload(
                upload_id=upload_id,
                movie_id=ids.new_movie_id(),
                version=0,
                account_id=ids.new_account_id(),
                file_name="film.mp4",
                content_type="video/mp4",
                size_bytes=1000,
                part_bytes=8 * 1024 * 1024,
                key=keys.master_key(upload_id),
                multipart_id="none",
                state="open",
                hot=False,
                sidecars=(),
                created_at=now,
                touched_at=now,
            ),
            TitleDetails(title=title, genres=tuple(genres)),
        )
        await self._stores.catalogue.uploads.begin_completion(upload_id)
        await self._stores.catalogue.uploads.finish_completion(upload_id, topic="test-only", value=b"{}")
        return upload
