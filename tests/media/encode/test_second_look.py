"""A rung below the floor is looked at again: a picture that lacks bits is told from a wrong one."""

from fractions import Fraction
from pathlib import Path

import pytest

from marquee.documents import SecondLook
from marquee.domain.ladder import raised
from marquee.media.encode.plan import chunk_jobs, with_rungs
from marquee.media.encode.quality import scores
from marquee.media.encode.second_look import second_look
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.package.verify import poor_picture
from tests.harness.media.films import judged, made, planned

NOISE = "testsrc2=size=320x180:rate=30:duration=4,noise=alls=80"
"""A sharp, noisy film of 180 lines at 30 fps: what failed by the ladder's own bits."""
WRONG = {
    "another picture": "negate,hue=h=90",
    "rubble": "boxblur=20,geq=lum='mod(lum(X,Y)+3*X,255)':cb=60:cr=60",
    "one frame late": "tpad=start=1:start_mode=clone",
}


async def test_a_lack_of_bits_is_told_from_a_wrong_picture(tmp_path: Path) -> None:
    film = await made(tmp_path / "film.mp4", NOISE, vcodec="libx264", crf=12, preset="ultrafast", pix_fmt="yuv420p")
    source = await judged(film)
    plan = planned(source)
    (job,) = chunk_jobs(plan, source)
    rendition = (await transcode_chunk(job, film, tmp_path)).parts[0].path
    rung = plan.settings.rungs[-1]

    async def looked(path: Path) -> tuple[float, SecondLook, list[str]]:
        (score,) = await scores(source, film, plan, [(rung, path)])
        again = await second_look(source, film, plan, rung, path, score)
        return score.vmaf_mean, again, poor_picture([score], floor_vmaf=60.0, second_look=again)

    mean, again, findings = await looked(rendition)
    assert mean < 60, "the film is no example: the ladder's bits suffice for it"
    assert again.encoded_again_vmaf == pytest.approx(again.vmaf, abs=0.5), "the same encode does not score the same"
    assert findings == [], "a title fails for the ladder's own bits"
    gop = plan.settings.gop_frames
    for name, change in WRONG.items():
        wrong = await made(
            tmp_path / "wrong.mp4",
            str(rendition),
            vf=change,
            vcodec="libx264",
            crf=8,
            preset="ultrafast",
            g=gop,
            keyint_min=gop,
        )
        assert (await looked(wrong))[2], f"{name} would be published"

    rate = Fraction(plan.settings.frame_rate)
    better = with_rungs(plan, [raised(rung, rate)])
    (job,) = chunk_jobs(better, source)
    more = (await transcode_chunk(job, film, tmp_path)).parts[0].path
    (score,) = await scores(source, film, better, [(rung, more)])
    assert score.vmaf_mean > mean + 5, "more bits do not help"
