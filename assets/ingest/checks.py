"""The blocking checks: where a bad result would reach a viewer, the chain stops before `title` can publish it.

A check that does not hold fails the version with its findings and is not retried; one that cannot be answered (a store is
away) is retried like any stage. Each runs between its asset and the next one; the judging itself
is `marquee.media.package.verify`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from assets.ingest.manifest import manifest
from assets.ingest.metadata import bullet_list
from assets.ingest.partitions import OUTAGE_RETRY
from assets.ingest.stage import Stage, fail_by_check, open_stage
from assets.ingest.streams import streams
from marquee.concurrency import gather_bounded
from marquee.documents import ManifestDocument, PlanDocument, StreamsDocument, SubtitlesDocument
from marquee.ingest.outages import through_outages
from marquee.media.package import verify
from marquee.settings import Settings

_MAX_CONCURRENT_READS: Final = 8
_MAX_FINDINGS_SHOWN: Final = 20

MIN_VMAF_SIDE_PIXELS: Final = 144
"""VMAF halves the picture four times; of fewer lines or columns its coarsest scale sees a handful of pixels, and its score
says nothing. It is recorded there, and holds back no title."""


@dg.asset_check(asset=streams, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def audio_in_step(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Picture and sound start within one frame of each other, and every track is as long as the plan's picture."""
    async with open_stage(context, settings, "streams", reports=False) as stage:
        packaged, plan = await stage.read("streams", StreamsDocument), await stage.read("plan", PlanDocument)
        findings = verify.apart_starts(packaged, frame_rate=plan.settings.frame_rate)
        return await _check_result(stage, findings + verify.wrong_durations(plan, packaged))


@dg.asset_check(asset=manifest, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def segments_add_up(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Every segment named in the manifests is in the published bucket with its size, and their durations add up."""
    async with open_stage(context, settings, "manifest", reports=False) as stage:
        plan = await stage.read("plan", PlanDocument)
        packaged, texts = await stage.read("streams", StreamsDocument), await stage.read("subtitles", SubtitlesDocument)
        stored = await _published_sizes(stage, packaged.prefix)
        findings = verify.title_findings(
            plan, packaged, texts, texts=await _playlist_texts(stage, packaged.prefix, stored), sizes=stored
        )
        return await _check_result(stage, findings, {"files": len(stored), "bytes": sum(stored.values())})


@dg.asset_check(asset=manifest, blocking=True, retry_policy=OUTAGE_RETRY)  # type: ignore[arg-type]
async def picture_good_enough(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The top rung's mean VMAF on its sample, scored at the source's size, is above the platform's floor."""
    async with open_stage(context, settings, "manifest", reports=False) as stage:
        floor = settings.quality_floor_vmaf
        scores = (await stage.read("manifest", ManifestDocument)).quality
        top = scores[-1]
        tracks = (await stage.read("streams", StreamsDocument)).video
        side = max(min(track.width or 0, track.height or 0) for track in tracks)
        findings = [f"Rung {top.rung} scores VMAF {top.vmaf_mean:.1f} on average, below the floor of {floor:.1f}."]
        if top.vmaf_mean >= floor or side < MIN_VMAF_SIDE_PIXELS:
            findings = []
        return await _check_result(stage, findings, {"floor": floor, **{one.rung: one.vmaf_mean for one in scores}})


async def _published_sizes(stage: Stage, prefix: str) -> dict[str, int]:
    """Sizes of what lies under a version's prefix, by path relative to it."""

    async def listed() -> dict[str, int]:
        return {info.key.removeprefix(prefix): info.size_bytes async for info in stage.stores.published.list(prefix)}

    return await through_outages(listed)


async def _playlist_texts(stage: Stage, prefix: str, stored: Mapping[str, int]) -> dict[str, str]:
    async def text(name: str) -> str:
        return (await through_outages(lambda: stage.stores.published.get(prefix + name))).decode()

    names = [name for name in stored if name.endswith((".m3u8", ".mpd"))]
    return dict(zip(names, await gather_bounded(text, names, max_concurrent=_MAX_CONCURRENT_READS), strict=True))


async def _check_result(
    stage: Stage, findings: Sequence[str], metadata: Mapping[str, float | int] | None = None
) -> dg.AssetCheckResult:
    if findings:
        more = len(findings) - 1
        await fail_by_check(stage, findings[0] + (f" (and {more} more findings)" if more else ""))
    return dg.AssetCheckResult(
        passed=not findings,
        description=findings[0] if findings else None,
        metadata={**(metadata or {}), "findings": bullet_list(findings[:_MAX_FINDINGS_SHOWN])},
    )
