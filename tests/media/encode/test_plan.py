"""Plans: sensible for every real film, equal for equal content, different if anything that changes the result differs."""

from fractions import Fraction

import msgspec
import pytest

from marquee.documents import AnalysisDocument, Codec, LadderPoint, PlanDocument, SourceDocument, VideoStream
from marquee.media.encode.plan import MAX_UNSEEKABLE_CHUNKS, chunk_jobs, plan
from marquee.profiles import load_profile
from tests.harness.media.profiles import h264


def source(seconds: float = 60.0, *, seekable: bool = True, **video: object) -> SourceDocument:
    known: dict[str, object] = {"width": 1280, "height": 720, "display_width": 1280, "display_height": 720}
    stream = VideoStream(index=0, codec="h264", duration_seconds=seconds, **{**known, **video})  # type: ignore[arg-type]
    return SourceDocument(
        movie_id="m_x",
        version=1,
        upload_id="u_x",
        key="k",
        file_name="film.mp4",
        size_bytes=1,
        sha256="aa",
        container="mov",
        duration_seconds=seconds,
        video=stream,
        audio=[],
        subtitles=[],
        frames_decoded=1,
        frames_damaged=0,
        seekable=seekable,
    )


def made(of: SourceDocument, preset: str = "veryfast", segments: int = 3, encoder: str = "x") -> list[str]:
    return [job.job_id for job in chunk_jobs(planned(of, preset, segments, encoder), of)]


def planned(of: SourceDocument, preset: str = "veryfast", segments: int = 3, encoder: str = "x") -> PlanDocument:
    return plan(of, h264(preset), chunk_segments=segments, encoders={"h264": encoder})


def test_a_title_that_gets_another_codec_keeps_its_chunks_in_h264() -> None:
    film = source()
    point = LadderPoint(width=1280, height=720, crf=24, bitrate_bps=900_000, vmaf=94)
    analysis = AnalysisDocument(movie_id="m_x", version=1, ladder="by-title", rungs=[point])
    encoders: dict[Codec, str] = {"h264": "x", "hevc": "y", "av1": "z"}
    for given in (None, analysis):
        jobs = {
            name: [
                job.job_id
                for job in chunk_jobs(
                    plan(film, load_profile(name), chunk_segments=3, encoders=encoders, analysis=given), film
                )
            ]
            for name in ("standard", "efficient", "hevc")
        }
        assert jobs["efficient"] == jobs["standard"]
        assert jobs["hevc"] == jobs["standard"]


def test_rungs_that_an_analysis_chose_are_not_those_of_a_fixed_ladder() -> None:
    point = LadderPoint(width=1280, height=720, crf=24, bitrate_bps=900_000, vmaf=94)
    analysis = AnalysisDocument(movie_id="m_x", version=1, ladder="by-title", rungs=[point])
    found = plan(source(), load_profile("fast"), chunk_segments=3, encoders={"h264": "x"}, analysis=analysis)
    assert found == plan(source(), load_profile("fast"), chunk_segments=3, encoders={"h264": "x"})


@pytest.mark.parametrize("rate", ["24000/1001", "25/1", "30000/1001", "60/1", "8797/1000", "120/1"])
def test_the_picture_keeps_its_length_to_the_frame(rate: str) -> None:
    found = planned(source(3600.5, frame_rate=rate))
    assert abs(found.duration_seconds - 3600.5) <= 1 / Fraction(found.settings.frame_rate)
    assert found.settings.segment_frames == 3 * found.settings.gop_frames
    assert sum(chunk.frames for chunk in found.chunks) == found.total_frames


def test_equal_content_has_equal_jobs_whichever_title_asks() -> None:
    one = source()
    other = msgspec.structs.replace(one, movie_id="m_y", upload_id="u_y", file_name="other.mp4")
    assert made(one) == made(other)
    assert len(set(made(one))) == len(made(one))


def test_whatever_changes_the_result_changes_the_jobs() -> None:
    known = {made(source())[0]}
    for changed in (
        made(msgspec.structs.replace(source(), sha256="bb")),
        made(source(), preset="slow"),
        made(source(), encoder="y"),
        made(source(), segments=2),
        made(source(interlaced=True)),
        made(source(rotation=90)),
        made(source(start_seconds=1.5)),
    ):
        assert changed[0] not in known
        known.add(changed[0])


def test_chunks_that_an_unproven_seek_made_are_not_taken_again() -> None:
    first, *sought = made(source(seekable=True))
    same, *linear = made(source(seekable=False))
    assert first == same, "the film's first chunk never seeks"
    assert sought
    assert not set(sought) & set(linear), "an earlier release may have stored rubble under these names"


def test_chunks_that_carry_captions_are_not_taken_again() -> None:
    assert made(source(captioned=True)) != made(source()), "an earlier release copied the captions into these chunks"


def test_a_source_that_cannot_be_sought_has_few_chunks() -> None:
    found = planned(source(7200.0, seekable=False))
    assert 1 < len(found.chunks) <= MAX_UNSEEKABLE_CHUNKS
    assert len(made(source(7200.0))) == 400


def test_a_rotated_picture_is_planned_upright() -> None:
    found = planned(source(rotation=90, display_width=720, display_height=1280))
    top = found.settings.rungs[-1]
    assert (top.width, top.height) == (720, 1280)
    assert "scale=w=1280:h=720" in found.settings.filters
    assert "transpose=dir=clock" in found.settings.filters
