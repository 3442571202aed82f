"""Stage `images`: the poster, the wide picture (backdrop) and the sprite sheets for scrubbing.

`marquee.media.pictures.images` makes them.

Reads the documents of `plan` and `streams`, and two packaged tracks. Stores the pictures under the version's public prefix
of the published bucket, and the sheets once more under the prefix of its streams, for other people's players. Next: `manifest`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.publishing import publish_folder
from assets.ingest.quality import quality
from assets.ingest.stage import Stage, open_stage
from assets.ingest.tracks import by_height, fetch_track
from assets.metadata import image_link, table
from marquee.cdn.addresses import EdgeAddresses
from marquee.documents import BackdropPicture, ImagesDocument, PlanDocument, StreamsDocument, Thumbnails, keys
from marquee.ingest.removal import remove_below
from marquee.ingest.work_folder import work_folder
from marquee.media.pictures.thumbnails import write_thumbnails
from marquee.notes import note
from marquee.settings import Settings

if TYPE_CHECKING:
    from marquee.media.pictures.images import ImagesMade


@stage_asset(
    deps=[quality],
    partitions_def=titles,
    kinds={"ffmpeg", "s3"},
    owners=OWNERS,
    pool=FFMPEG,
    retry_policy=OUTAGE_RETRY,
)
async def images(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The poster and the backdrop, cut from the top rung, and the sprite sheets for scrubbing, made of the lowest rung.

    The poster is a key frame from inside the film that is neither dark nor flat. The backdrop is the 16:9 part of another such
    frame, of the sharpest, in sizes up to 1920 x 1080. All pictures are public.
    """
    async with open_stage(context, settings, "images") as stage:
        plan, packaged = await stage.read("plan", PlanDocument), await stage.read("streams", StreamsDocument)
        prefix = keys.images_prefix(stage.movie_id, stage.version)
        async with work_folder(settings.state, f"images-{stage.movie_id}") as folder:
            made = await _make(stage, packaged, folder, duration_seconds=plan.duration_seconds)
            await stage.report(0.8)
            await publish_folder(stage.stores.published, folder / "images", prefix)
            thumbnails = await _publish_thumbnails(
                stage, made, folder / "stream", packaged.prefix, plan.duration_seconds
            )
        document = ImagesDocument(
            movie_id=stage.movie_id,
            version=stage.version,
            poster=prefix + made.poster.name,
            backdrop=[
                BackdropPicture(key=prefix + path.name, width=width, height=height)
                for path, width, height in made.backdrop
            ],
            sprite=prefix + made.sprite.name,
            sprite_vtt=prefix + made.sprite_vtt.name,
            files=[
                prefix + path.name
                for path in (
                    made.poster,
                    made.small_poster,
                    *(path for path, _, _ in made.backdrop),
                    made.sprite_vtt,
                    *made.sprites,
                )
            ],
            thumbnails=thumbnails,
            notes=[
                *([note("poster-poor", seconds=made.poster_seconds)] if made.poster_is_poor else []),
                *([] if made.backdrop else [note("backdrop-left-out")]),
            ],
        )
        await stage.save_document(document)
        return dg.MaterializeResult(
            metadata={
                "poster": image_link(settings, stage.movie_id, document.poster),
                "poster_seconds": round(made.poster_seconds, 3),
                "backdrop": table(
                    [
                        {
                            "size": f"{one.width}x{one.height}",
                            "picture": f"[{one.key}]({EdgeAddresses(settings).image(stage.movie_id, one.key)})",
                        }
                        for one in document.backdrop
                    ]
                ),
                **({} if made.backdrop_seconds is None else {"backdrop_seconds": round(made.backdrop_seconds, 3)}),
                "sprite": image_link(settings, stage.movie_id, document.sprite),
                "sheets": len(made.sprites),
                "tiles": made.tiles,
                "tile_seconds": made.tile_seconds,
                "cpu_seconds": round(made.cpu_seconds, 2),
            }
        )


async def _publish_thumbnails(
    stage: Stage, made: "ImagesMade", folder: Path, prefix: str, duration_seconds: float
) -> Thumbnails:
    """Store the sheets once more, beside the segments, and remove those that an earlier attempt stored and this one did not."""
    found = write_thumbnails(made, folder, duration_seconds=duration_seconds)
    await publish_folder(stage.stores.published, folder, prefix)
    kept = frozenset(prefix + name for name in (found.playlist, *found.sheets))
    await remove_below(stage.stores.published, f"{prefix}{keys.THUMBNAILS_FOLDER}/", keep=kept)
    return found


async def _make(stage: Stage, packaged: StreamsDocument, folder: Path, *, duration_seconds: float) -> "ImagesMade":
    """Poster and sprites below `folder / "images"`. The lowest rung is enough for tiles, and the cheapest to decode."""
    # Imported here: it imports numpy, which takes longer than all stages together.
    from marquee.media.pictures.images import make_images

    lowest, top = by_height(packaged)[0], by_height(packaged)[-1]
    assert top.width is not None
    assert top.height is not None
    preview = await fetch_track(stage, packaged, lowest, folder)
    best = preview if top is lowest else await fetch_track(stage, packaged, top, folder)
    await stage.report(0.3)
    return await make_images(
        best,
        folder / "images",
        duration_seconds=duration_seconds,
        width=top.width,
        height=top.height,
        preview_path=preview,
    )
