"""The rungs of a ladder by title: names, sizes, quality in each codec, and which of them miss what was expected."""

from fractions import Fraction

import msgspec

from marquee.documents import LadderPoint
from marquee.domain.ladder import MIN_BITRATE_BPS, in_codec, rungs_for
from marquee.domain.title_ladder import (
    MAX_OFF_VMAF,
    distinct,
    missed_expectations,
    no_better,
    rungs_by_title,
    with_codecs_crf,
)
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


def missed(scores: list[float], *, same_size: bool) -> list[tuple[str, float]]:
    rungs = rungs_by_title(CHOSEN, FIXED)
    by_name = {rung.name: score for rung, score in zip(rungs, scores, strict=True)}
    return [(rung.name, vmaf) for rung, vmaf in missed_expectations(rungs, by_name, CHOSEN, same_size=same_size)]


def test_a_rung_is_off_if_most_viewers_would_notice() -> None:
    assert missed([60, 80, 95 - MAX_OFF_VMAF + 0.1], same_size=True) == []
    assert missed([60, 80, 95 - MAX_OFF_VMAF - 0.1], same_size=True) == [("720p", 95)]
    nothing = missed_expectations(FIXED, {rung.name: 10.0 for rung in FIXED}, CHOSEN, same_size=True)
    assert nothing == [], "nothing was expected of a rung of the fixed ladder"


def test_a_film_that_is_scored_at_another_size_than_its_trials_is_judged_by_its_steps() -> None:
    assert missed([50, 70, 85], same_size=False) == [], "every rung lost the same to the larger screen"
    assert missed([50, 70, 78], same_size=False) == [("720p", 85)]
    assert missed([50, 60, 75], same_size=False) == [("720p-2", 70)]


def test_a_rung_without_more_picture_or_without_more_bits_is_no_better() -> None:
    rungs = rungs_by_title(CHOSEN, FIXED)
    rates = {"360p": 150_000, "720p-2": 400_000, "720p": 1_400_000}
    scores = {"360p": 60.0, "720p-2": 80.0, "720p": 95.0}

    def found(**changed: float) -> list[tuple[str, str]]:
        pairs = no_better(rungs, scores | changed, rates)
        return [(above.name, below.name) for above, below in pairs]

    assert found() == []
    assert found(**{"720p-2": 59.9}) == [("720p-2", "360p")]
    assert no_better(rungs, scores, rates | {"720p": 390_000}) == [(rungs[2], rungs[1])]
    assert no_better(FIXED, dict.fromkeys([rung.name for rung in FIXED], 90.0), dict.fromkeys(rates, 1)) == []


def test_rungs_that_the_least_rate_makes_equal_are_one() -> None:
    slides = [
        LadderPoint(width=640, height=360, crf=27, bitrate_bps=14_000, vmaf=60),
        LadderPoint(width=1280, height=720, crf=33, bitrate_bps=25_000, vmaf=80),
        LadderPoint(width=1280, height=720, crf=22, bitrate_bps=47_000, vmaf=95),
        LadderPoint(width=1280, height=720, crf=20, bitrate_bps=70_000, vmaf=97),
    ]
    encoded = in_codec(rungs_by_title(slides, FIXED), H264Video(preset="medium"), Fraction(25))
    assert [(rung.crf, rung.bitrate_bps) for rung in distinct(encoded)] == [(22, MIN_BITRATE_BPS), (20, 70_000)]
    same = [msgspec.structs.replace(rung, bitrate_bps=MIN_BITRATE_BPS) for rung in FIXED]
    assert distinct(same) == same, "a fixed ladder keeps its rungs"
