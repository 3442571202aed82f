"""VMAF on a sample: frame n against frame n, at the source's size, for at most a tenth of the segments."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.documents import Rung
from marquee.media.encode.filters import picture_chain
from marquee.media.encode.join import video_timescale
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.quality import score, scores
from marquee.media.encode.samples import MAX_SEGMENTS, samples
from marquee.media.encode.transcode import transcode_chunk
from marquee.platform.project import PROJECT
from tests.harness.media.films import judged, planned
from tests.harness.media.packaging import a_plan, a_rung, a_source, ffmpeg
from tests.harness.media.whole import ingested


def test_at_most_a_tenth_of_the_segments_is_scored() -> None:
    rate = Fraction(30)
    for segments in (1, 5, 10, 37, 100, 1200):
        plan = a_plan(rate, segments * 180 + 7)
        taken = samples(plan, 0.1)
        assert 1 <= len(taken) <= max(1, segments // 10, 1)
        assert len(taken) <= MAX_SEGMENTS
        assert sum(one.frames for one in taken) <= max(60, plan.total_frames * 0.1)
        for one in taken:
            assert one.start_frame % 60 == 0, "a sample must start with a key frame"
            assert one.start_frame + one.frames <= plan.total_frames
        places = {one.start_frame // 180 for one in taken}
        assert len(places) == len(taken), "two samples of one segment"
    assert samples(a_plan(rate, 20), 0.1)[0].frames == 20


async def test_good_scores_above_bad_and_a_frame_late_scores_badly(tmp_path: Path) -> None:
    """The picture moves: if frames were compared with their neighbours, even a good rendition would score low."""
    rate, frames = Fraction(25), 475
    film = tmp_path / "film.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=19", "-vf", "format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "12", "-g", "37", film),
    )
    source = a_source(width=320, height=180)
    chain = picture_chain(source.video, rate, 320, 180)
    rungs: list[tuple[Rung, Path]] = []
    for name, quality, height, delay in (("good", 16, 180, 0), ("small", 30, 90, 0), ("late", 16, 180, 1)):
        path = tmp_path / f"{name}.mp4"
        await ffmpeg(
            *("-i", film, "-vf", f"tpad=start={delay},scale={height * 16 // 9}:{height}", "-frames:v", str(frames)),
            *(
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-bf",
                "2",
                "-qp",
                str(quality),
                "-g",
                "50",
                "-keyint_min",
                "50",
            ),
            *("-sc_threshold", "0", "-video_track_timescale", str(video_timescale(rate)), path),
        )
        rungs.append((a_rung(name, height * 16 // 9, height), path))
    plan = a_plan(rate, frames, *(rung for rung, _ in rungs), filters=chain)
    good, small, late = await scores(source, film, plan, rungs, max_share=0.7)
    assert good.segments_scored == 2
    assert good.frames_scored == 2 * 17
    assert good.vmaf_mean > 92, f"a fine rendition scores {good.vmaf_mean:.1f}"
    assert small.vmaf_mean < good.vmaf_mean - 10
    assert late.vmaf_mean < good.vmaf_mean - 5, "a rendition that is one frame late scores as well as one in time"
    assert good.cpu_seconds > 0
    unsought = await score(a_source(width=320, height=180, seekable=False), film, plan, *rungs[0], max_share=0.7)
    assert abs(unsought.vmaf_mean - good.vmaf_mean) < 0.5, "the score depends on how the source was reached"


async def test_a_source_that_changes_its_size_is_scored_as_it_was_encoded(tmp_path: Path) -> None:
    """One filter graph must serve the whole source, as in the encode: a new graph would count frames from 0 again."""
    halves = []
    for size in ("640x360", "480x270"):
        half = tmp_path / f"{size}.ts"
        await ffmpeg(*("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=8", "-c:v", "libx264", "-g", "50", half))
        halves.append(half.read_bytes())
    film = tmp_path / "film.ts"
    film.write_bytes(b"".join(halves))
    source = await judged(film)
    assert not source.seekable
    plan = planned(source, segments=10)
    (job,) = chunk_jobs(plan, source)
    encoded = await transcode_chunk(job, film, tmp_path)
    found = await scores(source, film, plan, [(plan.settings.rungs[-1], encoded.parts[-1].path)], max_share=1)
    assert found[0].segments_scored == 2, "one sample in each half"
    assert found[0].vmaf_mean > 75, f"frames are compared with others: the mean is {found[0].vmaf_mean:.1f}"


async def test_large_pictures_are_scored_a_few_rungs_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "film.mp4"
    await ffmpeg(*("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", film))
    source = a_source(width=320, height=180)
    chain = picture_chain(source.video, Fraction(25), 320, 180)
    rungs = [(a_rung(name, 320, 180), tmp_path / f"{name}.mp4") for name in ("one", "two", "three")]
    for _, path in rungs:
        path.symlink_to(film)
    plan = a_plan(Fraction(25), 50, *(rung for rung, _ in rungs), filters=chain)
    whole = await scores(source, film, plan, rungs)
    monkeypatch.setattr("marquee.media.encode.quality.MAX_CONCURRENT_PIXELS", 2 * 320 * 180)
    parts = await scores(source, film, plan, rungs)
    assert [one.rung for one in parts] == ["one", "two", "three"]
    assert [one.vmaf_mean for one in parts] == [one.vmaf_mean for one in whole]


async def test_a_packaged_track_is_scored_from_the_samples_own_frame(tmp_path: Path) -> None:
    """A segment has a fragment for each GOP and its index names the first one alone: a seek can land a GOP too early."""
    made = await ingested(PROJECT / "fixtures" / "earth_480x270.avi", tmp_path / "made")
    (sample,) = samples(made.plan, max_share=0.1)
    assert sample.start_frame % made.plan.settings.segment_frames, "the sample must not begin with a segment"
    top = made.quality[-1]
    assert top.vmaf_mean > 90, f"frames from {sample.start_frame} on were compared with others: {top.vmaf_mean:.1f}"
