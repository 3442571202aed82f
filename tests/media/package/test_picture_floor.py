"""The quality floor: a picture that lacks bits is published with a note, a wrong picture never is."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import QualityScore, Rung, SecondLook
from marquee.media.package.verify import (
    MAX_VMAF_LOSS,
    MIN_THUMBNAIL_PSNR_DB,
    MIN_VMAF_SIDE_PIXELS,
    is_large_enough_for_vmaf,
    poor_picture,
    unscored_codecs,
)

SCORES = st.floats(0, 100, allow_nan=False)
DECIBELS = st.floats(0, 60, allow_nan=False)


def score(rung: str, mean: float) -> QualityScore:
    return QualityScore(rung=rung, vmaf_mean=mean, vmaf_min=0, frames_scored=1, segments_scored=1, cpu_seconds=0)


def look(vmaf: float, again: float, likeness: float) -> SecondLook:
    return SecondLook(rung="top", start_frame=60, vmaf=vmaf, encoded_again_vmaf=again, thumbnail_psnr_db=likeness)


@given(mean=SCORES, lower=SCORES, floor=SCORES, again=SCORES, likeness=DECIBELS)
def test_only_a_wrong_picture_below_the_floor_is_a_finding(
    mean: float, lower: float, floor: float, again: float, likeness: float
) -> None:
    second = look(mean, again, likeness)
    findings = poor_picture([score("low", lower), score("top", mean)], floor_vmaf=floor, second_look=second)
    wrong = likeness < MIN_THUMBNAIL_PSNR_DB or again - mean > MAX_VMAF_LOSS
    assert bool(findings) == (mean < floor and wrong)


@given(mean=SCORES, floor=SCORES)
def test_without_a_second_look_the_floor_alone_decides(mean: float, floor: float) -> None:
    assert bool(poor_picture([score("top", mean)], floor_vmaf=floor, second_look=None)) == (mean < floor)


@given(mean=SCORES, floor=SCORES)
def test_an_earlier_releases_score_of_a_small_picture_is_no_finding(mean: float, floor: float) -> None:
    """Its title is playable. It would fail when its check is run again."""
    scores = [score("top", mean)]
    assert not poor_picture(scores, floor_vmaf=floor, second_look=None, is_large_enough=False)


def test_the_finding_says_what_is_wrong() -> None:
    def finding(second: SecondLook | None, mean: float = 41.26) -> str:
        (found,) = poor_picture([score("720p", mean)], floor_vmaf=60.0, second_look=second)
        return found

    assert finding(None) == "Rung 720p scores VMAF 41.3 on average, below the floor of 60.0."
    assert "59.998" in finding(None, 59.998), "a score below the floor reads as the floor"
    assert "differ (PSNR 9.1 dB)" in finding(look(41.0, 41.0, 9.1))
    assert "scores 12.0, and 55.5 if encoded again" in finding(look(12.0, 55.5, 33.0))


def test_a_narrow_picture_counts_by_its_smaller_side() -> None:
    assert not is_large_enough_for_vmaf(MIN_VMAF_SIDE_PIXELS - 1, 4000)
    assert is_large_enough_for_vmaf(MIN_VMAF_SIDE_PIXELS, 4000)


def test_a_codec_without_a_score_is_a_finding_unless_it_is_optional() -> None:
    h264 = Rung(name="720p", width=1280, height=720, bitrate_bps=1, max_bitrate_bps=1, buffer_bits=1)
    av1 = Rung(name="720p-av1", width=1280, height=720, bitrate_bps=1, max_bitrate_bps=1, buffer_bits=1, codec="av1")
    (finding,) = unscored_codecs([h264, av1], [], optional=["av1"])
    assert "720p has no score" in finding
    assert unscored_codecs([h264, av1], [score("720p", 90.0)], optional=["av1"]) == []
    assert len(unscored_codecs([h264, av1], [score("720p", 90.0)], optional=[])) == 1
