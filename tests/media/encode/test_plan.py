"""Plans: sensible for every real film, equal for equal content, different if anything that changes the result differs."""

from fractions import Fraction

import msgspec
import pytest

from marquee.documents import AnalysisDocument, Codec, LadderPoint, PlanDocument, SourceDocument, VideoStream
from marquee.media.encode.encoders import ENCODERS
from marquee.media.encode.plan import MAX_UNSEEKABLE_CHUNKS, chunk_jobs, plan
from marquee.profiles import load_profile
from tests.harness.media.profiles import AV1, HEVC, h264, several


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


ALL: dict[Codec, str] = {"h264": "x", "hevc": "y", "av1": "z"}


def test_a_rung_that_rounding_made_one_line_larger_is_within_its_codecs_lines() -> None:
    film = source(width=1440, height=1080, display_width=1440, display_height=1080)
    profile = several(msgspec.structs.replace(AV1, max_lines=135), lines=(135, 405, 1080))
    found = plan(film, profile, chunk_segments=3, encoders=ALL)
    assert [(rung.name, rung.height) for rung in found.others[0].rungs] == [("135p-av1", 136)]


def test_a_codec_without_a_rung_of_its_lines_is_left_out_with_a_note() -> None:
    film = source(width=320, height=200, display_width=320, display_height=200)
    profile = several(msgspec.structs.replace(AV1, max_lines=150, optional=True), HEVC, lines=(200, 405))
    found = plan(film, profile, chunk_segments=3, encoders=ALL)
    assert [one.codec for one in found.encodings] == ["h264", "hevc"]
    assert found.optional == []
    (told,) = [one for one in found.notes if one.code == "codec-left-out"]
    assert "AV1" in told.sentence
    assert "150 lines" in told.sentence


def test_other_options_of_one_encoder_keep_the_chunks_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def jobs() -> list[list[str]]:
        found = plan(source(), several(AV1, HEVC), chunk_segments=3, encoders=ALL)
        return [[job.job_id for job in chunk_jobs(found, source(), one)] for one in found.encodings]

    h264_before, av1_before, hevc_before = jobs()
    changed = ENCODERS["av1"]._replace(options_version=ENCODERS["av1"].options_version + 1)
    monkeypatch.setitem(ENCODERS, "av1", changed)
    h264_after, av1_after, hevc_after = jobs()
    assert (h264_after, hevc_after) == (h264_before, hevc_before), "chunks of other codecs are encoded again"
    assert not set(av1_after) & set(av1_before)
