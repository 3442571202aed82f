"""Stage `analysis`: the rungs of a ladder by title. `marquee.media.ladder.analyse` makes the trials and chooses.

Reads the source's document, the master and the profile. With a profile whose ladder is fixed, the stage makes no trial and costs
nothing. It waits for a slot of ffmpeg's pool nevertheless: in Dagster a pool belongs to the asset, and is taken before the asset
knows its profile. A film of which no trial can be made gets the fixed ladder and the note `ladder-not-analysed`. Next: `plan`.
"""

import asyncio
import errno
import os
import shutil
from pathlib import Path
from typing import Final

import dagster as dg
import msgspec

from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import FFMPEG, OUTAGE_RETRY, OWNERS, titles
from assets.ingest.source import source
from assets.ingest.stage import Stage, is_last_attempt, open_stage
from assets.metadata import first_words, kilobits, picture, table
from marquee.documents import AnalysisDocument, LadderPoint
from marquee.domain.lifecycle import SHOWN_VERSIONS
from marquee.errors import ProcessFailed, ProcessTimedOut, StageMissing
from marquee.ingest.work_folder import work_folder
from marquee.media.encode.plan import plan
from marquee.media.encode.transcode import encoder_versions
from marquee.media.ladder.analyse import analyse, targets_for
from marquee.notes import note
from marquee.profiles import Profile, load_profile
from marquee.settings import Settings


@stage_asset(
    deps=[source], partitions_def=titles, kinds={"ffmpeg"}, owners=OWNERS, pool=FFMPEG, retry_policy=OUTAGE_RETRY
)
async def analysis(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Which picture sizes and bitrates this title gets: short trial encodes, their convex hull, and rungs at equal steps on it.

    Trials see a few per cent of the film, so that they cost at most 5 % of a long film's encode. A version that is already
    playable keeps its analysis, as it keeps its plan. The numbers are expectations: the stage `quality` scores what viewers get.
    """
    async with open_stage(context, settings, "analysis") as stage:
        profile = load_profile(settings.profile)
        document = await _published_analysis(stage) or await analysed(stage, profile)
        await stage.save_document(document)
        return dg.MaterializeResult(metadata=await asyncio.to_thread(_metadata, document))


async def _published_analysis(stage: Stage) -> AnalysisDocument | None:
    version = await stage.stores.catalogue.versions.get(stage.movie_id, stage.version)
    if version.state not in SHOWN_VERSIONS:
        return None
    # An earlier release had no such stage: that version's ladder was the fixed one.
    return await read_analysis(stage) or AnalysisDocument(
        movie_id=stage.movie_id, version=stage.version, ladder="fixed"
    )


async def read_analysis(stage: Stage) -> AnalysisDocument | None:
    """The document of this stage; None for a version of an earlier release, which had no such stage."""
    try:
        return await stage.read("analysis", AnalysisDocument)
    except StageMissing:
        return None


async def analysed(stage: Stage, profile: Profile) -> AnalysisDocument:
    """The title's ladder by `profile`. A film that cannot be tried has the fixed ladder and a note.

    What the machine is to blame for (a time-out, a full disk) is raised, so that the step is retried: a title's ladder must not
    depend on how busy the machine is. Only the last attempt takes the fixed ladder then.
    """
    fixed = AnalysisDocument(movie_id=stage.movie_id, version=stage.version, ladder="fixed", profile=profile.identity)
    if profile.ladder == "fixed":
        return fixed
    found = await stage.read_source()
    planned = plan(
        found,
        profile,
        chunk_segments=stage.settings.chunk_segments,
        encoders=await encoder_versions(profile.codecs),
    )
    async with (
        work_folder(stage.settings.state, f"analysis-{stage.movie_id}") as folder,
        stage.hold_source(found) as source_path,
        stage.reporting(0.0, 1.0),
    ):
        try:
            found_ladder = await analyse(
                found,
                source_path,
                planned.settings,
                planned.total_frames,
                targets_for(profile, planned.settings.rungs),
                folder,
                memory_bytes=stage.settings.process_memory_bytes,
            )
        except (ProcessFailed, ValueError) as error:
            # ValueError: also msgspec's, of a log that cannot be read.
            if await _is_machines_fault(error, folder) and not is_last_attempt(stage.context):
                raise
            told = note("ladder-not-analysed", why=first_words(str(error)))
            return msgspec.structs.replace(fixed, notes=[told])
    return msgspec.structs.replace(found_ladder, profile=profile.identity)


async def _is_machines_fault(error: Exception, folder: Path) -> bool:
    """Whether a retry may succeed. ffmpeg tells of a full disk in words; libvmaf writes half a log and tells nothing."""
    if isinstance(error, ProcessTimedOut) or os.strerror(errno.ENOSPC).lower() in str(error).lower():
        return True
    disk = await asyncio.to_thread(shutil.disk_usage, folder)
    return disk.free < _MIN_FREE_BYTES


_MIN_FREE_BYTES: Final = 64 * 1024**2


def _metadata(document: AnalysisDocument) -> dict[str, dg.MetadataValue | str | float | int]:
    if not document.rungs:
        return {"ladder": "fixed"}
    # Imported here: matplotlib takes longer to import than everything else that Dagster loads.
    from marquee.media.ladder.hull_plot import hull_png

    shown: dict[str, dg.MetadataValue | str | float | int] = {
        "hull": picture(hull_png(document), "The title's convex hull, the chosen rungs and the fixed ladder"),
        "rungs": table([_row(point) for point in document.rungs]),
        "fixed_ladder": table([_row(point) for point in document.fixed]),
        "trials": table([_row(point) for point in document.trials]),
        "samples": table([{"from frame": one.start_frame, "frames": one.frames} for one in document.samples]),
        "trial_preset": document.trial_preset,
        "cpu_seconds": round(document.cpu_seconds, 2),
    }
    if document.bd_rate is not None:
        shown["bits_saved_at_equal_vmaf"] = f"{-100 * document.bd_rate:.1f} %"
    return shown


def _row(point: LadderPoint) -> dict[str, object]:
    row: dict[str, object] = {
        "picture": f"{point.width}x{point.height}",
        "CRF": point.crf,
        "bitrate": kilobits(point.bitrate_bps),
        "VMAF": round(point.vmaf, 1),
    }
    return row | {"VMAF NEG": "" if point.vmaf_neg is None else round(point.vmaf_neg, 1)}
