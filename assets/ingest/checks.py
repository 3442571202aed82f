"""The blocking checks: they stop the chain before `title` can publish a bad result.

Each runs after its asset and before the next one: `audio_in_step` after `streams`, `picture_good_enough` after `quality`,
`segments_add_up` after `manifest`. `marquee.media.package.verify` judges. A failed check fails the version with its findings
and is not retried. A check that cannot read what it needs, because a store is down, is retried like any stage.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from assets.ingest.manifest import manifest
from assets.ingest.partitions import OUTAGE_RETRY
from assets.ingest.quality import quality
from assets.ingest.stage import Stage, fail_by_check, open_stage
from assets.ingest.streams import streams
from assets.ingest.tracks import offered_streams
from assets.metadata import bullet_list
from marquee.concurrency import gather_bounded
from marquee.documents import ManifestDocument, PlanDocument, QualityDocument, StreamsDocument, SubtitlesDocument
from marquee.ingest.outages import through_outages
from marquee.media.package import verify
from marquee.settings import Settings

_MAX_CONCURRENT_READS: Final = 8
_MAX_FINDINGS_SHOWN: Final = 20


@dg.asset_check(asset=streams, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def audio_in_step(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Picture and sound start within one frame of each other, and every track is as long as the plan's picture."""
    async with open_stage(context, settings, "streams", reports=False) as stage:
        packaged, plan = await stage.read("streams", StreamsDocument), await stage.read("plan", PlanDocument)
        findings = verify.unsynchronised_starts(packaged, frame_rate=plan.settings.frame_rate)
        return await _check_result(stage, findings + verify.wrong_durations(plan, packaged))


@dg.asset_check(asset=quality, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def picture_good_enough(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The picture of each codec's top rung is the film's: a mean VMAF below the floor has no other cause than a lack of bits."""
    async with open_stage(context, settings, "quality", reports=False) as stage:
        found, floor = await stage.read("quality", QualityDocument), settings.quality_floor_vmaf
        plan = await stage.read("plan", PlanDocument)
        tops = [one.rungs[-1] for one in plan.encodings if one.codec not in found.left_out]
        findings = verify.unscored_codecs(tops, found.scores, optional=plan.optional) + [
            finding
            for top in tops
            if (scores := [one for one in found.scores if one.rung == top.name])
            for finding in verify.poor_picture(
                scores,
                floor_vmaf=floor,
                second_look=found.look_at(top.name),
                is_large_enough=verify.is_large_enough_for_vmaf(top.width, top.height),
            )
        ]
        means = {one.rung: one.vmaf_mean for one in found.scores}
        return await _check_result(stage, findings, {"floor": floor, **means})


@dg.asset_check(asset=manifest, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def segments_add_up(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Every segment named in the manifests is stored with its size, durations add up, and both manifests keep their standards.

    Standards are MPEG's schema of the MPD, and the MUSTs of Apple's authoring specification that can be computed. What Apple only
    recommends is shown and fails nothing.
    """
    async with open_stage(context, settings, "manifest", reports=False) as stage:
        plan = await stage.read("plan", PlanDocument)
        packaged, texts = await offered_streams(stage), await stage.read("subtitles", SubtitlesDocument)
        stored = await _published_sizes(stage, packaged.prefix)
        written = await _playlist_texts(stage, packaged.prefix, stored)
        thumbnails = (await stage.read("manifest", ManifestDocument)).thumbnails
        findings = verify.title_findings(plan, packaged, texts, texts=written, sizes=stored, thumbnails=thumbnails)
        advice = verify.title_recommendations(packaged, texts, texts=written, sizes=stored)
        shown = {"recommendations": bullet_list(advice[:_MAX_FINDINGS_SHOWN])}
        return await _check_result(stage, findings, {"files": len(stored), "bytes": sum(stored.values()), **shown})


async def _published_sizes(stage: Stage, prefix: str) -> dict[str, int]:
    """The size of every object under a version's prefix, by its path relative to the prefix."""

    async def listed() -> dict[str, int]:
        return {info.key.removeprefix(prefix): info.size_bytes async for info in stage.stores.published.list(prefix)}

    return await through_outages(listed)


async def _playlist_texts(stage: Stage, prefix: str, stored: Mapping[str, int]) -> dict[str, str]:
    async def text(name: str) -> str:
        return (await through_outages(lambda: stage.stores.published.get(prefix + name))).decode()

    names = [name for name in stored if name.endswith((".m3u8", ".mpd", ".vtt"))]
    return dict(zip(names, await gather_bounded(text, names, max_concurrent=_MAX_CONCURRENT_READS), strict=True))


async def _check_result(
    stage: Stage, findings: Sequence[str], metadata: Mapping[str, float | int | dg.MetadataValue] | None = None
) -> dg.AssetCheckResult:
    if findings:
        more = len(findings) - 1
        await fail_by_check(stage, findings[0] + (f" (and {more} more findings)" if more else ""))
    return dg.AssetCheckResult(
        passed=not findings,
        description=findings[0] if findings else None,
        metadata={**(metadata or {}), "findings": bullet_list(findings[:_MAX_FINDINGS_SHOWN])},
    )
