"""Makes a whole title without the platform: judge, plan, encode, join, sound, text, package, pictures, scores, manifests, checks.

Calls the same functions in the same order as the chain's assets, in one folder. The result is what an edge would serve.
Raises `SourceRefused` as the chain would. Any other exception is a fault of the code under test.
"""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from marquee.documents import (
    PlanDocument,
    QualityScore,
    Rung,
    SourceDocument,
    StreamsDocument,
    SubtitlesDocument,
    keys,
)
from marquee.media.encode.join import join_rendition
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.quality import scores
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.package import verify
from marquee.media.package.manifest import master_playlist, mpd
from marquee.media.package.packager import package
from marquee.media.pictures.images import make_images
from marquee.media.pictures.thumbnails import write_thumbnails
from marquee.media.sound.audio import encode_audio
from marquee.media.source.claims import SourceLimits
from marquee.media.text.subtitles import extract_subtitles
from marquee.profiles import Profile
from tests.harness.media import profiles
from tests.harness.media.films import judged, planned

MEMORY_BYTES = 4 * 1024**3


class Made(NamedTuple):
    """A title in `folder`, as published. `notes`: the sentences of its notes. `findings`: those of the blocking checks."""

    folder: Path
    source: SourceDocument
    plan: PlanDocument
    streams: StreamsDocument
    subtitles: SubtitlesDocument
    quality: list[QualityScore]
    notes: list[str]
    findings: list[str]


async def ingested(
    path: Path,
    folder: Path,
    *,
    limits: SourceLimits | None = None,
    scored: bool = True,
    profile: Profile | None = None,
) -> Made:
    """Take the film `path` through the whole chain, below `folder`. `scored`: with VMAF scores."""
    source = await judged(path, limits)
    plan = planned(source, profile=profile or profiles.h264("veryfast"))
    joined = await _renditions(source, plan, path, folder)
    seconds = plan.duration_seconds
    audio = await encode_audio(source, path, folder / "audio", duration_seconds=seconds, memory_bytes=MEMORY_BYTES)
    out = folder / "title"
    streams = await package(plan, joined, [*audio.renditions, *audio.low], out, memory_bytes=MEMORY_BYTES)
    texts = await extract_subtitles(source, path, [], out, duration_seconds=seconds, memory_bytes=MEMORY_BYTES)
    sent = [(rung, _as_sent(out, streams, rung, folder)) for rung, _ in joined]
    quality = await scores(source, path, plan, sent, memory_bytes=MEMORY_BYTES) if scored else []
    top = plan.settings.rungs[-1]
    pictures = await make_images(
        next(path for rung, path in joined if rung == top),
        out / "images",
        duration_seconds=seconds,
        width=top.width,
        height=top.height,
        preview_path=joined[0][1],
    )
    thumbnails = write_thumbnails(pictures, out, duration_seconds=seconds)
    (out / keys.MASTER_PLAYLIST).write_text(master_playlist(streams, texts, thumbnails))
    (out / keys.MPD).write_text(mpd(streams, texts, thumbnails))
    stored = {one.relative_to(out).as_posix(): one for one in out.rglob("*") if one.is_file()}
    findings = verify.title_findings(
        plan,
        streams,
        texts,
        texts={name: one.read_text() for name, one in stored.items() if one.suffix in {".m3u8", ".mpd", ".vtt"}},
        sizes={name: one.stat().st_size for name, one in stored.items()},
        thumbnails=thumbnails,
    )
    notes = [one.sentence for one in [*source.notes, *audio.notes, *texts.notes]]
    return Made(out, source, plan, streams, texts, quality, notes, findings)


def _as_sent(title: Path, streams: StreamsDocument, rung: Rung, folder: Path) -> Path:
    """The packaged track of `rung` as one file: the stage `quality` scores what viewers are sent."""
    (track,) = [one for one in streams.video if one.name == rung.name]
    out = folder / f"{rung.name}-sent.mp4"
    out.write_bytes(b"".join((title / name).read_bytes() for name in [track.init_segment, *track.segments]))
    return out


async def _renditions(source: SourceDocument, plan: PlanDocument, path: Path, folder: Path) -> list[tuple[Rung, Path]]:
    """Encode every chunk and join each rung; the rungs in the ladder's order."""
    parts: dict[str, list[Path]] = {rung.name: [] for rung in plan.rungs}
    for job in [job for encoding in plan.encodings for job in chunk_jobs(plan, source, encoding)]:
        below = folder / "chunks" / job.settings.codec / str(job.chunk.index)
        below.mkdir(parents=True)
        for part in (await transcode_chunk(job, path, below, memory_bytes=MEMORY_BYTES)).parts:
            parts[part.rung].append(part.path)
    joined = []
    for rung in plan.rungs:
        out = folder / f"{rung.name}.mp4"
        await join_rendition(
            parts[rung.name], out, frame_rate=Fraction(plan.settings.frame_rate), frames=plan.total_frames
        )
        joined.append((rung, out))
    shutil.rmtree(folder / "chunks")
    return joined
