"""The quality floor: the mean VMAF of the top rung decides, except for pictures too small for VMAF."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import PackagedStream, QualityScore, StreamsDocument
from marquee.media.package.verify import MIN_VMAF_SIDE_PIXELS, poor_picture

SCORES = st.floats(0, 100, allow_nan=False)
SIDES = st.integers(16, 4096)


def streams(*sizes: tuple[int, int]) -> StreamsDocument:
    tracks = [
        PackagedStream(
            kind="video",
            name=f"{height}p",
            playlist=f"video/{height}p/index.m3u8",
            init_segment=f"video/{height}p/init.mp4",
            segments=[],
            segment_seconds=[],
            segment_bytes=[],
            average_bps=1,
            peak_bps=1,
            codecs="avc1.64001f",
            start_seconds=0.0,
            width=width,
            height=height,
        )
        for width, height in sizes
    ]
    return StreamsDocument(
        movie_id="m_1", version=1, prefix="m_1/v1/", video=tracks, audio=[], segment_frames=150, size_bytes=1
    )


def score(rung: str, mean: float) -> QualityScore:
    return QualityScore(rung=rung, vmaf_mean=mean, vmaf_min=0, frames_scored=1, segments_scored=1, cpu_seconds=0)


@given(mean=SCORES, lower=SCORES, floor=SCORES, width=SIDES, height=SIDES)
def test_the_top_rung_alone_is_compared_with_the_floor(
    mean: float, lower: float, floor: float, width: int, height: int
) -> None:
    findings = poor_picture(
        [score("low", lower), score("top", mean)], streams((16, 16), (width, height)), floor_vmaf=floor
    )
    assert bool(findings) == (mean < floor and min(width, height) >= MIN_VMAF_SIDE_PIXELS)


def test_the_finding_names_rung_score_and_floor() -> None:
    findings = poor_picture([score("720p", 41.26)], streams((1280, 720)), floor_vmaf=60.0)
    assert findings == ["Rung 720p scores VMAF 41.3 on average, below the floor of 60.0."]


def test_a_narrow_picture_counts_by_its_smaller_side() -> None:
    poor = [score("top", 1.0)]
    assert poor_picture(poor, streams((MIN_VMAF_SIDE_PIXELS - 1, 4000)), floor_vmaf=60.0) == []
    assert poor_picture(poor, streams((MIN_VMAF_SIDE_PIXELS, 4000)), floor_vmaf=60.0)
