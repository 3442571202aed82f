"""What the media tests share: judging and planning a film under test ids, and making small films.

`SHARED` is the folder of real test films outside the repository; tests that need it skip themselves where it is missing.
"""

import hashlib
from functools import cache
from pathlib import Path

import ffmpeg
import msgspec

from marquee.documents import Chunk, ChunkJob, Codec, PlanDocument, SourceDocument
from marquee.media.encode.plan import chunk_jobs, plan
from marquee.media.programs import binaries, process
from marquee.media.source.claims import SourceLimits
from marquee.media.source.judge import judge
from marquee.profiles import Profile
from tests.harness.media import profiles

ENCODERS: dict[Codec, str] = {"h264": "libx264 core 165", "hevc": "libx265 4", "av1": "SVT-AV1 4"}
SHARED = Path(__file__).parents[4] / "shared" / "data" / "video"


@cache
def digest(path: Path) -> str:
    """The SHA-256 of a file, computed once a process."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def judged(path: Path, limits: SourceLimits | None = None) -> SourceDocument:
    """Judge a film under test ids."""
    return await judge(
        path,
        movie_id="m_test",
        version=1,
        upload_id="u_test",
        key="uploads/u_test/source",
        file_name=path.name,
        sha256=digest(path),
        limits=limits or SourceLimits(),
    )


def planned(source: SourceDocument, *, segments: int = 1, profile: Profile | None = None) -> PlanDocument:
    """The plan of a source, in chunks of `segments` segments."""
    return plan(source, profile or profiles.h264(), chunk_segments=segments, encoders=ENCODERS)


def jobs_of_one_gop(found: PlanDocument, source: SourceDocument) -> list[ChunkJob]:
    """The plan's jobs with chunks of one GOP each, so that even a short film has many seams."""
    gop, total = found.settings.gop_frames, found.total_frames
    cut = [Chunk(index=n, start_frame=s, frames=min(gop, total - s)) for n, s in enumerate(range(0, total, gop))]
    return chunk_jobs(msgspec.structs.replace(found, chunks=cut), source)


async def made(path: Path, source: str, *output: str, **options: object) -> Path:
    """Make a film of a lavfi graph (a `source` with "=" in it) or of another film.

    `output` are ffmpeg's arguments without values, `options` its output options.
    """
    given = ffmpeg.input(source, format="lavfi") if "=" in source else ffmpeg.input(source)
    argv = ffmpeg.output(given, str(path), **options).global_args(*output, "-v", "error").overwrite_output()
    await process.run(argv.compile(cmd=str(binaries.picture_ffmpeg())), timeout_seconds=120)
    return path
