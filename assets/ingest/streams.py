"""Stage `streams`: joins chunks, encodes audio, packages, and stores segments and media playlists.

Reads the documents of `source`, `plan` and `renditions`. The blocking check `audio_in_step` judges its document.
Next: `subtitles`.
"""

import asyncio
from fractions import Fraction
from pathlib import Path

import dagster as dg
import msgspec

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.publishing import fetch_files, publish_folder
from assets.ingest.renditions import renditions
from assets.ingest.stage import Stage, open_stage
from assets.metadata import kilobits, mebibytes, table
from marquee.documents import PlanDocument, RenditionsDocument, Rung, SourceDocument, StreamsDocument, keys
from marquee.errors import ChunkFailed, ObjectMissing
from marquee.ingest.removal import remove_below
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.join import join_rendition
from marquee.media.package.packager import package
from marquee.media.sound.audio import AudioMade, encode_audio
from marquee.settings import Settings


@stage_asset(
    deps=[renditions],
    partitions_def=titles,
    kinds={"ffmpeg", "s3"},
    owners=OWNERS,
    pool=FFMPEG,
    retry_policy=OUTAGE_RETRY,
)
async def streams(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The title as one CMAF set: chunks joined without a second encode, audio encoded once, segments, media playlists.

    Everything is stored under the version's own prefix of the published bucket. No player finds it before `manifest` has
    written the master playlist and the MPD.
    """
    async with open_stage(context, settings, "streams") as stage:
        source, plan = await stage.read_source(), await stage.read("plan", PlanDocument)
        made = await stage.read("renditions", RenditionsDocument)
        async with work_folder(settings.state, f"streams-{stage.movie_id}") as folder:
            audio, joined = await _encode_and_join(stage, source, plan, made, folder)
            await stage.report(0.5)
            packaged = folder / "packaged"
            found = await package(
                plan, joined, [*audio.renditions, *audio.low], packaged, memory_bytes=settings.process_memory_bytes
            )
            document = msgspec.structs.replace(found, notes=audio.notes)
            await stage.report(0.6)
            async with stage.reporting(0.6, 1.0) as tell:
                await publish_folder(stage.stores.published, packaged, document.prefix, on_share=tell)
            await _remove_strays(stage, document, packaged)
        await stage.save_document(document)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(plan.settings_hash), metadata=_metadata(document, audio)
        )


async def _encode_and_join(
    stage: Stage, source: SourceDocument, plan: PlanDocument, made: RenditionsDocument, folder: Path
) -> tuple[AudioMade, list[tuple[Rung, Path]]]:
    """Encode audio and join chunks at the same time: the first needs the processor, the second the disk."""

    async def encode() -> AudioMade:
        async with stage.hold_source(source) as path:
            return await encode_audio(
                source,
                path,
                folder / "audio",
                duration_seconds=plan.duration_seconds,
                default_language=stage.settings.default_audio_language,
                bitrates=plan.audio,
                memory_bytes=stage.settings.process_memory_bytes,
            )

    async def join() -> list[tuple[Rung, Path]]:
        rungs = [one.rung for one in made.renditions]
        return [(rung, await join_rung(stage, plan, made, rung, folder)) for rung in rungs]

    async with asyncio.TaskGroup() as group:
        encoding, joining = group.create_task(encode()), group.create_task(join())
    return encoding.result(), joining.result()


async def join_rung(stage: Stage, plan: PlanDocument, made: RenditionsDocument, rung: Rung, folder: Path) -> Path:
    """Fetch one rung's chunks and join them in `folder`. The chunks are removed from it again."""
    parts = {
        part.key: folder / f"{rung.name}.{index:06d}.mp4"
        for index, result in enumerate(made.chunk_results)
        for part in result.parts
        if part.rung == rung.name
    }
    try:
        await fetch_files(stage.stores.objects, parts)
    except* ObjectMissing as missing:
        raise ChunkFailed(
            "Chunks of this version are gone: they are kept until it is published. Run it again from `renditions` on."
        ) from missing
    out = folder / f"{rung.name}.mp4"
    await join_rendition(
        list(parts.values()), out, frame_rate=Fraction(plan.settings.frame_rate), frames=plan.total_frames
    )
    for path in parts.values():
        path.unlink()
    return out


async def _remove_strays(stage: Stage, document: StreamsDocument, packaged: Path) -> None:
    """Remove files that an earlier attempt stored and this one did not, such as a track that is left out now."""
    written = frozenset(
        document.prefix + path.relative_to(packaged).as_posix() for path in packaged.rglob("*") if path.is_file()
    )
    for below in keys.STREAM_FOLDERS:
        await remove_below(stage.stores.published, document.prefix + below, keep=written)


def _metadata(document: StreamsDocument, audio: AudioMade) -> dict[str, dg.MetadataValue | str | float | int]:
    return {
        "tracks": table(
            [
                {
                    "track": one.name,
                    "kind": one.kind,
                    "codecs": one.codecs,
                    "average": kilobits(one.average_bps),
                    "peak": kilobits(one.peak_bps),
                    "segments": len(one.segments),
                    "seconds": round(sum(one.segment_seconds), 3),
                }
                for one in [*document.video, *document.audio]
            ]
        ),
        "size": mebibytes(document.size_bytes),
        "audio_cpu_seconds": round(audio.cpu_seconds, 2),
    }
