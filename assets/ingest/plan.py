"""Stage `plan`: the ladder, the frame grid and the chunks. `marquee.media.encode.plan` decides them.

Reads the documents of `source` and `analysis`, and the settings. The document holds everything that encoders are told. Its hash
is part of every chunk's identity. Next: `renditions`.
"""

import dagster as dg

from assets.ingest.analysis import analysed, analysis, read_analysis
from assets.ingest.outcomes import stage_asset
from assets.ingest.partitions import OUTAGE_RETRY, OWNERS, titles
from assets.ingest.stage import Stage, open_stage
from assets.metadata import kilobits, table
from marquee.documents import AnalysisDocument, PlanDocument
from marquee.domain.lifecycle import SHOWN_VERSIONS
from marquee.errors import StageMissing
from marquee.ingest.outages import through_outages
from marquee.media.encode import plan as planning
from marquee.media.encode.transcode import encoder_versions
from marquee.profiles import Profile, load_profile
from marquee.settings import Settings


@stage_asset(deps=[analysis], partitions_def=titles, owners=OWNERS, retry_policy=OUTAGE_RETRY)
async def plan(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The ladder, the frame grid and the chunks: everything that decides what the encoders make.

    A version that is already playable keeps its plan, because files under its URLs never change. To run it again restores
    lost files and changes nothing else. New settings take effect with the title's next version.
    """
    async with open_stage(context, settings, "plan") as stage:
        profile = load_profile(settings.profile)
        document = await _published_plan(stage) or planning.plan(
            await stage.read_source(),
            profile,
            chunk_segments=settings.chunk_segments,
            encoders=await encoder_versions(profile.codecs),
            analysis=await _analysis(stage, profile),
        )
        await stage.save_document(document)
        if planned_by := document.profile:
            versions = stage.stores.catalogue.versions
            await through_outages(lambda: versions.set_profile(stage.movie_id, stage.version, planned_by))
        encoding = document.settings
        return dg.MaterializeResult(
            data_version=dg.DataVersion(document.settings_hash),
            metadata={
                "ladder": table(
                    [
                        {
                            "rung": rung.name,
                            "picture": f"{rung.width}x{rung.height}",
                            "bitrate": kilobits(rung.bitrate_bps),
                            "maximum": kilobits(rung.max_bitrate_bps),
                            "profile": f"{rung.codec} {rung.profile}@{rung.level}, {rung.bit_depth} bit",
                        }
                        for rung in document.rungs
                    ]
                ),
                "frame_rate": encoding.frame_rate,
                "gop_frames": encoding.gop_frames,
                "segment_frames": encoding.segment_frames,
                "total_frames": document.total_frames,
                "chunks": len(document.chunks),
                "profile": document.profile.name if document.profile else "of an earlier release",
                "profile_hash": document.profile.hash if document.profile else "",
                "preset": ", ".join(f"{one.codec} {one.preset}" for one in document.encodings),
                "encoder": "; ".join(one.encoder for one in document.encodings),
                "filters": encoding.filters or "none",
            },
        )


async def _analysis(stage: Stage, profile: Profile) -> AnalysisDocument | None:
    """The analysis by this profile. It is made again if the profile changed after that stage: its rungs are another profile's.
    That is rare, so its trials take no slot of ffmpeg's pool.

    None where a run that an earlier release began goes on here: it had no such stage, and its ladder is the fixed one.
    """
    found = await read_analysis(stage)
    if found is None or (found.profile is not None and found.profile.hash == profile.hash):
        return found
    again = await analysed(stage, profile)
    await stage.restate("analysis", again)
    return again


async def _published_plan(stage: Stage) -> PlanDocument | None:
    version = await stage.stores.catalogue.versions.get(stage.movie_id, stage.version)
    if version.state not in SHOWN_VERSIONS:
        return None
    try:
        return await stage.read("plan", PlanDocument)
    except StageMissing:
        return None
