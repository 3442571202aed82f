"""The rungs of a ladder by title: names, sizes, quality in each codec, and which of them miss what was expected."""

from fractions import Fraction

from marquee.documents import LadderPoint
from marquee.domain.ladder import rungs_for
from marquee.domain.title_ladder import MAX_OFF_VMAF, off_expectation, rungs_by_title, with_codecs_crf
from marquee.profiles import Av1Video, H264Video

FIXED = rungs_for(1280, 720, Fraction(25))
CHOSEN = [
    LadderPoint(width=640, height=360, crf=27, bitrate_bps=150_000, vmaf=60),
    LadderPoint(width=1280, height=720, crf=33, bitrate_bps=400_000, vmaf=80),
    LadderPoint(width=1280, height=720, crf=22, bitrate_bps=1_400_000, vmaf=95),
]


def test_the_best_rung_of_a_size_has_its_name_and_no_two_rungs_share_one() -> None:
    assert [rung.name for rung in rungs_by_title(CHOSEN, FIXED)] == ["360p", "720p-2", "720p"]
    assert [rung.crf for rung in rungs_by_title(CHOSEN, FIXED)] == [27, 33, 22]


def test_a_size_that_the_fixed_ladder_no_longer_has_is_named_by_its_lines() -> None:
    """The profile's lines changed between the analysis and the plan."""
    wide = LadderPoint(width=854, height=358, crf=27, bitrate_bps=150_000, vmaf=60)
    assert [rung.name for rung in rungs_by_title([wide], FIXED)] == ["480p"]


def test_another_codec_is_as_far_from_its_own_crf() -> None:
    rungs = rungs_by_title(CHOSEN, FIXED)
    av1 = Av1Video(preset=8, crf=32)
    assert [rung.crf for rung in with_codecs_crf(rungs, av1, 21)] == [39, 47, 33]
    h264 = H264Video(preset="medium", crf=21)
    assert with_codecs_crf(rungs, h264, 21) == rungs
    assert with_codecs_crf(FIXED, av1, 21) == FIXED, "a fixed ladder has the profile's own quality"


def test_a_rung_is_off_if_most_viewers_would_notice() -> None:
    *_, top = rungs_by_title(CHOSEN, FIXED)
    assert off_expectation(top, 95 - MAX_OFF_VMAF + 0.1, CHOSEN) is None
    assert off_expectation(top, 95 - MAX_OFF_VMAF - 0.1, CHOSEN) == CHOSEN[-1]
    assert off_expectation(FIXED[-1], 10, CHOSEN) is None, "nothing was expected of a rung of the fixed ladder"
