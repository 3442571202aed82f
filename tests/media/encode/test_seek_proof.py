"""No seek shows other pictures than the linear decode: every chunk of films in which a plain seek does, or nearly does."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import ffmpeg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import Chunk, ChunkJob
from marquee.documents.decoded_frames import packed
from marquee.media.encode.join import join_rendition
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.quality import scores
from marquee.media.encode.seek_proof import has_complaints, prove_seek
from marquee.media.encode.transcode import chunk_picture, transcode_chunk
from marquee.media.programs import binaries, process
from tests.harness.media.films import judged, planned
from tests.harness.media.seek_traps import TRAPS, Trap


async def pictures(job: ChunkJob, film: Path, margin_seconds: float | None) -> Sequence[str]:
    """The checksums of a chunk's frames before they are encoded."""
    output = ffmpeg.output(
        chunk_picture(job, film, margin_seconds=margin_seconds), "-", format="framemd5", fps_mode="passthrough"
    )
    argv = output.global_args("-nostdin", "-loglevel", "quiet").compile(cmd=str(binaries.picture_ffmpeg()))
    found = await process.run(argv, timeout_seconds=120)
    return [line.split(",")[-1].strip() for line in found.stdout.decode().splitlines() if not line.startswith("#")]


async def check_chunks(trap: Trap, folder: Path) -> None:
    film = folder / trap.name
    await trap.make(film)
    source = await judged(film)
    if trap.seekable is not None:
        assert source.seekable is trap.seekable
    assert (source.frames is not None) is source.seekable
    plan = planned(source)
    jobs = chunk_jobs(plan, source)
    assert len(jobs) > 3, "too short: there is no chunk in the middle"
    whole = msgspec.structs.replace(jobs[0], chunk=Chunk(index=0, start_frame=0, frames=plan.total_frames))
    linear = await pictures(whole, film, None)
    for job in jobs:
        begin, length = job.chunk.start_frame, job.chunk.frames
        damaged = has_complaints(job.source, job.settings, begin, length)
        proven = length if damaged else min(length, job.settings.gop_frames)
        proof = await prove_seek(job.source, film, job.settings, begin, proven)
        if proof is not None:
            shown = await pictures(job, film, proof.margin_seconds)
            wrong = sum(a != b for a, b in zip(shown, linear[begin : begin + length], strict=True))
            assert not wrong, f"chunk {job.chunk.index}: {wrong} of {length} pictures differ from the linear decode"


@pytest.mark.parametrize(
    "trap", [pytest.param(one, id=one.name, marks=[pytest.mark.soak] if one.soak else []) for one in TRAPS]
)
async def test_a_seek_shows_the_pictures_of_the_linear_decode(trap: Trap, tmp_path: Path) -> None:
    await check_chunks(trap, tmp_path)


async def check_joined(trap: Trap, folder: Path) -> None:
    """The whole way: every chunk encoded and joined, each picture compared with the linear decode, and the score."""
    film = folder / trap.name
    await trap.make(film)
    source = await judged(film)
    plan = planned(source)
    parts: dict[str, list[Path]] = {rung.name: [] for rung in plan.settings.rungs}
    for job in chunk_jobs(plan, source):
        below = folder / str(job.chunk.index)
        below.mkdir()
        for part in (await transcode_chunk(job, film, below)).parts:
            parts[part.rung].append(part.path)
    top, joined = plan.settings.rungs[-1], folder / "joined.mp4"
    await join_rendition(
        parts[top.name], joined, frame_rate=Fraction(plan.settings.frame_rate), frames=plan.total_frames
    )
    whole = msgspec.structs.replace(
        chunk_jobs(plan, source)[0], chunk=Chunk(index=0, start_frame=0, frames=plan.total_frames)
    )
    rate = Fraction(plan.settings.frame_rate)
    shown = ffmpeg.input(str(joined))["v:0"].filter("settb", expr=str(1 / rate)).filter("setpts", expr="N")
    compared = ffmpeg.filter(
        [shown, chunk_picture(whole, film, margin_seconds=None)], "psnr", stats_file=str(folder / "psnr.log")
    )
    argv = ffmpeg.output(compared, "-", format="null").global_args("-nostdin", "-loglevel", "quiet")
    await process.run(argv.compile(cmd=str(binaries.picture_ffmpeg())), timeout_seconds=120)
    found = [float(one) for one in re.findall(r"psnr_y:(\S+)", (folder / "psnr.log").read_text())]
    assert len(found) == plan.total_frames
    poor = [number for number, decibels in enumerate(found) if decibels < min(24.0, found[0] - 12)]
    assert not poor, f"{len(poor)} pictures of the joined rendition are not those of the linear decode: {poor[:5]}"
    (score,) = await scores(source, film, plan, [(top, joined)], max_share=1)
    assert score.segments_scored >= 3
    assert score.vmaf_mean > 60, f"VMAF {score.vmaf_mean:.1f}: the reference is not what was encoded"


@pytest.mark.soak
@pytest.mark.parametrize("trap", [pytest.param(one, id=one.name) for one in TRAPS])
async def test_joined_renditions_are_the_linear_decode(trap: Trap, tmp_path: Path) -> None:
    await check_joined(trap, tmp_path)


@given(
    steps=st.lists(st.integers(1, 5000), min_size=0, max_size=300),
    first=st.integers(-(10**9), 10**12),
    begin=st.fractions(0, 10),
    length=st.fractions(0, 10),
)
def test_the_frames_of_a_chunk_are_those_of_the_film(
    steps: list[int], first: int, begin: Fraction, length: Fraction
) -> None:
    times = [first]
    for step in steps:
        times.append(times[-1] + step)
    sums = [(time * 7) & 0xFFFF for time in times]
    whole = packed(Fraction(1, 1000), times, sums, [times[-1]])
    assert list(whole.times) == times
    assert list(whole.checksums) == sums
    start = Fraction(first, 1000) + begin
    part = whole.between(start, start + length)
    assert set(part.pictures(0, len(part.times))) <= set(whole.pictures(0, len(times)))
    for at in (start, start + length):
        assert part.times[part.shown_at(at)] == whole.times[whole.shown_at(at)], "another picture is shown there"
