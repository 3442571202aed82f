"""One title in H.264, HEVC and AV1: one set of segments, one master playlist, one MPD, which parsers and decoders accept."""

import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

import m3u8
import pytest

from marquee.documents import Codec, keys, offered_tracks, video_by_codec
from marquee.media.encode.join import decoder_configuration
from marquee.media.encode.plan import chunk_jobs
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.package.verify import title_recommendations
from marquee.media.programs import binaries, process
from tests.harness.media import profiles
from tests.harness.media.films import judged, made, planned
from tests.harness.media.whole import Made, ingested

DASH = "{urn:mpeg:dash:schema:mpd:2011}"
BOXES: dict[Codec, bytes] = {"h264": b"avc1", "hevc": b"hvc1", "av1": b"av01"}
DEPTHS: dict[Codec, str] = {"h264": "yuv420p", "hevc": "yuv420p", "av1": "yuv420p10le"}


@pytest.fixture(scope="module")
async def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await made(
        tmp_path_factory.mktemp("film") / "film.mp4",
        "testsrc2=size=320x180:rate=25:duration=13",
        vcodec="libx264",
        preset="ultrafast",
        pix_fmt="yuv420p",
        g=50,
    )


@pytest.fixture(scope="module")
async def title(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    profile = profiles.several(profiles.HEVC, profiles.AV1, lines=(90, 180))
    return await ingested(film, tmp_path_factory.mktemp("title"), profile=profile)


def test_the_title_passes_the_chains_checks(title: Made) -> None:
    assert title.findings == []
    assert [(one.name, one.codec) for one in title.streams.video] == [
        ("90p", "h264"),
        ("180p", "h264"),
        ("90p-hevc", "hevc"),
        ("180p-hevc", "hevc"),
        ("90p-av1", "av1"),
        ("180p-av1", "av1"),
    ]


def test_codecs_are_told_exactly(title: Made) -> None:
    for one in title.streams.video:
        init = (title.folder / one.init_segment).read_bytes()
        assert BOXES[one.codec] in init, f"{one.name} has another sample entry than {BOXES[one.codec]!r}"
        box = decoder_configuration(title.folder / one.init_segment, one.codec)
        assert box, f"{one.name}'s init segment has no decoder configuration"
        match one.codec:
            case "h264":
                expected = f"avc1.{box[1:4].hex()}"
            case "hevc":
                expected = f"hvc1.{box[1] & 31}."
                level = f".{'H' if box[1] & 32 else 'L'}{box[12]}."
                assert level in one.codecs, f"{one.codecs}: the level of hvcC is {level}"
            case "av1":
                # ISO/IEC 23091 colour values may be left out: then they are unspecified.
                depth = 10 if box[2] & 0x40 else 8
                expected = f"av01.{box[1] >> 5}.{box[1] & 31:02d}{'H' if box[2] & 128 else 'M'}.{depth:02d}"
        assert one.codecs.startswith(expected), f"{one.name}: {one.codecs} instead of {expected}"


def test_one_master_lists_every_codec_and_h264_first(title: Made) -> None:
    master = m3u8.loads((title.folder / keys.MASTER_PLAYLIST).read_text())
    found = [(one.stream_info.codecs or "")[:4] for one in master.playlists]
    assert found == ["avc1"] * 2 + ["hvc1"] * 2 + ["av01"] * 2
    assert len(master.iframe_playlists) == 6
    for one in master.iframe_playlists:
        listed = m3u8.loads((title.folder / one.uri).read_text())
        assert len(listed.segments) == 7, f"{one.uri} does not list every key frame: one each two seconds"
    advice = title_recommendations(
        title.streams,
        title.subtitles,
        texts={
            one.relative_to(title.folder).as_posix(): one.read_text()
            for one in title.folder.rglob("*")
            if one.suffix in {".m3u8", ".mpd"}
        },
        sizes={one.relative_to(title.folder).as_posix(): one.stat().st_size for one in title.folder.rglob("*")},
    )
    assert not [one for one in advice if re.search(r"rule (1\.1[0-3]|8\.22)\b", one)], advice


def test_the_mpd_has_a_set_a_codec_with_switching_between_them(title: Made) -> None:
    root = ET.fromstring((title.folder / keys.MPD).read_text())
    sets = [one for one in root.iter(f"{DASH}AdaptationSet") if one.get("contentType") == "video"]
    assert [{rep.get("codecs", "")[:4] for rep in one.iter(f"{DASH}Representation")} for one in sets] == [
        {"avc1"},
        {"hvc1"},
        {"av01"},
    ]
    for one in sets:
        (switching,) = [
            each.get("value")
            for each in one.iter(f"{DASH}SupplementalProperty")
            if each.get("schemeIdUri") == "urn:mpeg:dash:adaptation-set-switching:2016"
        ]
        others = [other.get("id") for other in sets if other is not one]
        assert switching == ",".join(filter(None, others))


async def test_every_track_decodes_to_the_films_frames(title: Made) -> None:
    for one in title.streams.video:
        whole = title.folder.parent / f"{one.name}-whole.mp4"
        whole.write_bytes(b"".join((title.folder / name).read_bytes() for name in [one.init_segment, *one.segments]))
        told = await process.run(
            [
                *(binaries.ffprobe(), "-v", "error", "-select_streams", "v"),
                *("-show_entries", "stream=pix_fmt,width,height", "-of", "csv=p=0", whole),
            ],
            timeout_seconds=60,
        )
        assert told.stdout.decode().strip() == f"{one.width},{one.height},{DEPTHS[one.codec]}"
        lines: list[str] = []
        decoded = await process.run(
            [binaries.picture_ffmpeg(), "-v", "error", "-i", whole, "-f", "framemd5", "-"],
            timeout_seconds=120,
            on_stderr_line=lines.append,
        )
        frames = [line for line in decoded.stdout.decode().splitlines() if not line.startswith("#")]
        assert not lines, f"{one.name}: {lines[0]}"
        assert len(frames) == title.plan.total_frames
    grids = {tuple(one.segment_seconds) for one in title.streams.video}
    assert len(grids) == 1, "the codecs have other segment boundaries: nobody can switch between them"


def test_every_rung_of_every_codec_is_scored_by_its_name(title: Made) -> None:
    scores = {one.rung: one.vmaf_mean for one in title.quality}
    assert list(scores) == [one.name for one in title.streams.video]
    for codec in ("hevc", "av1"):
        assert scores[f"180p-{codec}"] > scores["180p"] - 15, f"{codec}'s picture is not the film's: {scores}"


def test_viewers_are_offered_the_codecs(title: Made) -> None:
    offered = offered_tracks(title.streams, title.subtitles).picture
    assert offered is not None
    assert (offered.name, offered.codecs) == ("180p", ["h264", "hevc", "av1"])
    assert video_by_codec(list(reversed(title.streams.video)))[0][0].codec == "h264"


@pytest.mark.parametrize("codec", ["hevc", "av1"])
async def test_what_an_encoder_prints_is_no_fault_of_the_decode(codec: Codec, film: Path, tmp_path: Path) -> None:
    """SVT-AV1 prints its configuration at every log level: a chunk would count as failed after every seek."""
    source = await judged(film)
    plan = planned(source, profile=profiles.several(profiles.HEVC, profiles.AV1, lines=(90,)))
    (encoding,) = [one for one in plan.others if one.codec == codec]
    job = chunk_jobs(plan, source, encoding)[1]
    assert job.chunk.start_frame > 0
    found = await transcode_chunk(job, film, tmp_path)
    assert not found.decoded_again
    assert [part.frames for part in found.parts] == [job.chunk.frames]
    again = tmp_path / "again"
    again.mkdir()
    twice = await transcode_chunk(job, film, again)
    assert twice.parts[0].path.read_bytes() == found.parts[0].path.read_bytes(), "equal jobs have equal results"


def test_h264_chunks_are_the_same_with_and_without_other_codecs(title: Made) -> None:
    """A title that gets AV1 in a later version keeps its H.264 chunks."""
    alone = planned(title.source, profile=profiles.several(lines=(90, 180)))
    assert [job.job_id for job in chunk_jobs(alone, title.source)] == [
        job.job_id for job in chunk_jobs(title.plan, title.source)
    ]
    everything = [job.job_id for one in title.plan.encodings for job in chunk_jobs(title.plan, title.source, one)]
    assert len(set(everything)) == len(everything), "two codecs share a job"
    assert title.plan.settings.frame_rate == str(Fraction(25)) + "/1"
