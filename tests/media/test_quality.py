"""VMAF on a sample: frame n against frame n, at the source's size, for at most a tenth of the segments."""

from fractions import Fraction
from pathlib import Path

from marquee.documents import Rung
from marquee.media.filters import picture_chain
from marquee.media.join import video_timescale
from marquee.media.quality import MOST_SEGMENTS, samples, score, scores
from tests.media.packaging import a_plan, a_rung, a_source, ffmpeg


def test_at_most_a_tenth_of_the_segments_is_scored() -> None:
    rate = Fraction(30)
    for segments in (1, 5, 10, 37, 100, 1200):
        plan = a_plan(rate, segments * 180 + 7)
        taken = samples(plan, 0.1)
        assert 1 <= len(taken) <= max(1, segments // 10, 1)
        assert len(taken) <= MOST_SEGMENTS
        assert sum(one.frames for one in taken) <= max(60, plan.total_frames * 0.1)
        for one in taken:
            assert one.start_frame % 60 == 0, "a sample must start with a key frame"
            assert one.start_frame + one.frames <= plan.total_frames
        places = {one.start_frame // 180 for one in taken}
        assert len(places) == len(taken), "two samples of one segment"
    assert samples(a_plan(rate, 20), 0.1)[0].frames == 20


async def test_good_scores_above_bad_and_a_frame_late_scores_badly(tmp_path: Path) -> None:
    """Moving pictures: were frames compared with their neighbours, even a fine rendition would score low."""
    rate, frames = Fraction(25), 475
    film = tmp_path / "film.mkv"
    await ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=19", "-vf", "format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "12", "-g", "37", film),
    )
    source = a_source(width=320, height=180)
    chain = picture_chain(source.video, rate, 320, 180, seekable=True)
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
    assert late.vmaf_mean < good.vmaf_mean - 5, "a rendition that is one frame late scores as if it were not"
    assert good.cpu_seconds > 0
    unsought = await score(a_source(width=320, height=180, seekable=False), film, plan, *rungs[0], max_share=0.7)
    assert abs(unsought.vmaf_mean - good.vmaf_mean) < 0.5, "the score depends on how the source was reached"
