"""A packaged title: an exact segment grid over the whole film, and playlists that real players read over HTTP."""

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import m3u8
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marquee.documents import QualityScore, StreamsDocument, SubtitlesDocument, Thumbnails, keys
from marquee.domain.ladder import PEAK_FACTOR
from marquee.errors import ProcessFailed
from marquee.media.encode.join import join_rendition
from marquee.media.ladder.plot import ladder_png
from marquee.media.package import verify
from marquee.media.package.dash_schema import NAMESPACE
from marquee.media.package.manifest import (
    FIRST_VARIANT_BPS,
    audio_groups,
    master_playlist,
    mpd,
    ordered_variants,
    variants_of_groups,
)
from marquee.media.package.packager import package
from marquee.media.programs import binaries, process
from marquee.media.sound.audio import EncodedAudio, encode_audio
from tests.harness.media.packaging import Title, a_plan, a_rung, a_source, ffmpeg, make_chunks, published, serve, sound


@pytest.mark.parametrize(("rate", "with_sound"), [("30000/1001", True), ("24000/1001", False)])
async def test_thirty_five_minutes_have_no_stray_segment(rate: str, with_sound: bool, tmp_path: Path) -> None:
    """At 29.97 fps, a segment length of exactly 6 s would give a segment of one frame at minute 33."""
    each = Fraction(rate)
    segment = 3 * round(2 * each)
    part = (await make_chunks(tmp_path, each, [25 * segment], size="16x16"))[0]
    frames = 14 * 25 * segment
    joined = tmp_path / "joined.mp4"
    await join_rendition([part] * 14, joined, frame_rate=each, frames=frames)
    plan = a_plan(each, frames)
    sounded = tmp_path / "sound.mka"
    await ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "1", "-c:a", "pcm_s16le", sounded)
    source = a_source(audio=[sound(0, 1)] if with_sound else [])
    made = await encode_audio(source, sounded, tmp_path / "audio", duration_seconds=plan.duration_seconds)
    streams = await package(plan, [(a_rung(), joined)], made.renditions, tmp_path / "out")
    assert [len(one.segments) for one in [*streams.video, *streams.audio]] == [350] * (1 + with_sound)
    assert {round(seconds * each) for seconds in streams.video[0].segment_seconds} == {segment}
    for one in streams.audio:
        assert min(one.segment_seconds) > 5.9, "there is a stray segment of sound"
    assert verify.wrong_durations(plan, streams) == []


async def test_a_sound_title_has_no_findings(title: Title, thumbnails: Thumbnails) -> None:
    out, streams, texts = title
    written, sizes = published(out)
    plan = a_plan(Fraction(25), 475)
    assert verify.title_findings(plan, streams, texts, texts=written, sizes=sizes, thumbnails=thumbnails) == []
    unnamed = set(sizes) - set(verify.published_files(streams, texts, thumbnails)) - {keys.MASTER_PLAYLIST, keys.MPD}
    assert not unnamed, f"{unnamed} are published and nothing names them"
    schemes = "http://dashif.org/guidelines/"
    absolute = [name for name, text in written.items() if "://" in text.replace(schemes, "")]
    assert not absolute, "a playlist has an absolute address"


async def test_master_playlist_says_what_was_measured(title: Title) -> None:
    out, streams, _ = title
    master = m3u8.loads((out / keys.MASTER_PLAYLIST).read_text())
    assert master.is_independent_segments
    assert [(one.type, one.group_id, one.name, one.channels) for one in master.media] == [
        ("AUDIO", "stereo", "English", "2"),
        ("AUDIO", "stereo", "French", "2"),
        ("AUDIO", "low", "English", "2"),
        ("AUDIO", "low", "French", "2"),
        ("AUDIO", "surround", "English", "6"),
        ("AUDIO", "surround", "French", "2"),
        ("SUBTITLES", "text", "English", None),
    ]
    assert [(one.language, one.default) for one in master.media[:2]] == [("en", "YES"), ("fr", "NO")]
    assert len(master.playlists) == 4
    assert len(master.iframe_playlists) == 2
    text = (out / keys.MASTER_PLAYLIST).read_text()
    told = [line for line in text.splitlines() if line.startswith(("#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF"))]
    assert all("VIDEO-RANGE=SDR" in line and "AVERAGE-BANDWIDTH=" in line for line in told)
    targets = {m3u8.loads((out / one.playlist).read_text()).target_duration for one in [*streams.video, *streams.audio]}
    assert targets == {6}, "Apple's authoring specification 8.2: picture and sound have one target duration"
    by_name = {one.playlist: one for one in streams.video}
    for variant in master.playlists:
        info, video = variant.stream_info, by_name[variant.uri]
        low, six = info.audio == "low", info.audio == "surround"
        sounds = [one for one in streams.audio if one.low == low and (one.channels == 6) == six]
        assert info.average_bandwidth >= video.average_bps + min(one.average_bps for one in sounds)
        assert info.bandwidth == video.peak_bps + max(one.peak_bps for one in sounds)
        assert info.resolution == (video.width, video.height)
        assert info.frame_rate == 25.0
        assert info.codecs == f"{video.codecs},mp4a.40.2"
        assert info.subtitles == "text"


def test_the_lowest_rung_has_sound_for_slow_lines(title: Title) -> None:
    """Only the lowest: a rung above it costs so much that 64 kbit/s more do not count. Every language is there."""
    out, streams, texts = title
    assert [(group, one.name) for group, _, one in variants_of_groups(streams)] == [
        ("stereo", "180p"),
        ("low", "90p"),
        ("surround", "180p"),
        ("surround", "90p"),
    ]
    low = [one for one in streams.audio if one.low]
    assert [one.language for one in low] == ["en", "fr"]
    assert all(one.average_bps < 75_000 for one in low)
    sets = [
        [each.get("id") for each in one]
        for one in ET.fromstring((out / keys.MPD).read_text()).iter(f"{NAMESPACE}AdaptationSet")
        for one in [one.findall(f"{NAMESPACE}Representation")]
        if one[0].get("id", "").startswith("audio")
    ]
    assert sets == [["audio-en-low", "audio-en-stereo"], ["audio-en-surround"], ["audio-fr-low", "audio-fr-stereo"]]

    one_rung = msgspec.structs.replace(streams, video=streams.video[:1])
    assert [group for group, *_ in variants_of_groups(one_rung)] == ["stereo", "low", "surround"]
    clip = [msgspec.structs.replace(one, segments=one.segments[:1]) for one in streams.audio]
    assert "low" not in audio_groups(msgspec.structs.replace(streams, audio=clip)), "hls.js stalls at the end"
    earlier = msgspec.structs.replace(streams, audio=[one for one in streams.audio if not one.low])
    assert {group for group, *_ in variants_of_groups(earlier)} == {"stereo", "surround"}
    assert "low" not in master_playlist(earlier, texts)


def _with_rungs(streams: StreamsDocument, averages: Sequence[int]) -> StreamsDocument:
    """The title with a rung for each average rate."""
    like = streams.video[0]
    rungs = [
        msgspec.structs.replace(like, name=f"r{place}", playlist=f"video/r{place}/index.m3u8", average_bps=average)
        for place, average in enumerate(averages)
    ]
    return msgspec.structs.replace(
        streams, video=[msgspec.structs.replace(one, peak_bps=round(PEAK_FACTOR * one.average_bps)) for one in rungs]
    )


def test_where_only_the_lowest_rung_fits_it_is_the_first_line_with_sound_for_slow_lines(title: Title) -> None:
    _, streams, _ = title
    ladder = _with_rungs(streams, [600_000, 1_500_000, 3_000_000])
    assert [(group, one.name) for group, _, one in variants_of_groups(ladder)] == [
        ("low", "r0"),
        ("stereo", "r1"),
        ("stereo", "r2"),
        ("surround", "r0"),
        ("surround", "r1"),
        ("surround", "r2"),
    ]
    higher = _with_rungs(streams, [300_000, 700_000, 1_500_000])
    assert [(group, one.name) for group, _, one in variants_of_groups(higher)][:3] == [
        ("stereo", "r1"),
        ("low", "r0"),
        ("stereo", "r2"),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(averages=st.lists(st.integers(50_000, 8_000_000), min_size=1, max_size=7))
def test_the_first_line_is_the_rung_that_a_player_begins_with(title: Title, averages: list[int]) -> None:
    _, streams, texts = title
    ladder = _with_rungs(streams, averages)
    first = ordered_variants(ladder.video)[0]
    master = m3u8.loads(master_playlist(ladder, texts))
    assert master.playlists[0].uri == first.playlist, f"{averages}: the list does not begin with {first.average_bps}"
    assert first.average_bps <= max(FIRST_VARIANT_BPS * 1.1 + 1, min(averages))
    told = [(one.uri, one.stream_info.audio) for one in master.playlists]
    assert len(told) == len(set(told)), f"{averages}: a variant is listed twice"
    by_group = {group: [uri for uri, other in told if other == group] for group in ("stereo", "low", "surround")}
    assert len(by_group["low"]) == 1
    assert sorted(by_group["surround"]) == sorted(one.playlist for one in ladder.video)
    together = {*by_group["stereo"], *by_group["low"]}
    assert together == {one.playlist for one in ladder.video}, f"{averages}: a rung has neither stereo nor low sound"
    if len(averages) > 1:
        stereo_and_low = [uri for uri, group in told if group != "surround"]
        assert stereo_and_low == by_group["surround"], f"{averages}: `low` is not in its rung's place"


async def test_a_film_without_sound_or_text_has_no_empty_groups(title: Title) -> None:
    _, streams, _ = title
    bare = StreamsDocument(
        movie_id="m", version=1, prefix="m/v1/", video=streams.video, audio=[], segment_frames=150, size_bytes=1
    )
    none = SubtitlesDocument(movie_id="m", version=1, tracks=[])
    text = master_playlist(bare, none)
    assert "EXT-X-MEDIA" not in text
    assert "AUDIO=" not in text
    assert text.count("EXT-X-STREAM-INF") == 2
    assert 'contentType="audio"' not in mpd(bare, none)


async def _probed(address: str) -> dict[str, list[str]]:
    """codec_type -> the presentation times of its packets in seconds, as text, as a player reads them from the URL."""
    finished = await process.run(
        [
            *(binaries.ffprobe(), "-v", "error", "-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0"),
            address,
        ],
        timeout_seconds=60,
    )
    found: dict[str, list[str]] = {}
    for line in finished.stdout.decode().split():
        kind, _, time = line.partition(",")
        found.setdefault(kind, []).append(time.strip(","))
    return found


async def test_players_read_hls_and_dash_over_http(title: Title) -> None:
    out, streams, _ = title
    server, address = await serve(out)
    async with server:
        for one in [*streams.video, *streams.audio]:
            packets = await _probed(f"{address}/{one.playlist}")
            times = sorted(float(time) for time in packets[one.kind])
            assert times[0] == 0.0
            step = 1 / 25 if one.kind == "video" else 1024 / 48_000
            gaps = [later - time for time, later in itertools.pairwise(times)]
            assert max(abs(gap - step) for gap in gaps) < 1e-4, f"{one.name} is not continuous"
            assert len(times) * step == pytest.approx(19.0, abs=step), f"{one.name} has {len(times)} packets"
        for name in (keys.MASTER_PLAYLIST, keys.MPD):
            # imageio's ffmpeg reads both; every rendition is decoded, and a broken one would end the run.
            decoded = await process.run(
                [
                    *(binaries.picture_ffmpeg(), "-v", "warning", "-nostdin", "-xerror", "-i", f"{address}/{name}"),
                    *("-map", "0:v", "-map", "0:a", "-f", "null", "-"),
                ],
                timeout_seconds=120,
            )
            words = [line for line in decoded.stderr_tail.splitlines() if "error" in line.lower()]
            assert not words, f"{name}: {words}"


async def test_findings_name_what_is_wrong(title: Title) -> None:
    out, streams, texts = title
    written, sizes = published(out)
    plan = a_plan(Fraction(25), 475)

    def findings(**changed: object) -> str:
        given: dict[str, object] = {"texts": written, "sizes": sizes, **changed}
        return "\n".join(verify.title_findings(plan, streams, texts, **given))  # type: ignore[arg-type]

    lost = {name: size for name, size in sizes.items() if name != "video/180p/seg_00002.m4s"}
    assert "video/180p/seg_00002.m4s is named in the manifest and is not stored." in findings(sizes=lost)
    assert "stored empty" in findings(sizes={**sizes, "video/90p/init.mp4": 0})
    assert "but was packaged with" in findings(sizes={**sizes, "video/90p/seg_00001.m4s": 7})
    absolute = written[keys.MASTER_PLAYLIST].replace("video/90p/index", "https://elsewhere.example/video/90p/index")
    assert "not relative" in findings(texts={**written, keys.MASTER_PLAYLIST: absolute})
    outside = written["video/90p/index.m3u8"].replace("seg_00001", "../../../other/seg_00001")
    assert "not relative" in findings(texts={**written, "video/90p/index.m3u8": outside})
    cut = written["video/90p/index.m3u8"].replace("#EXT-X-ENDLIST", "")
    assert "whole title" in findings(texts={**written, "video/90p/index.m3u8": cut})
    assert "not XML" in findings(texts={**written, keys.MPD: "<MPD"})
    assert "lists no variant" in findings(texts={**written, keys.MASTER_PLAYLIST: "#EXTM3U\n"})
    longer = a_plan(Fraction(25), 480)
    assert any("lasts 19.000 s" in one for one in verify.wrong_durations(longer, streams))


async def test_a_late_track_is_noticed(title: Title) -> None:
    _, streams, _ = title
    late = msgspec.structs.replace(streams.audio[0], start_seconds=0.05)
    shifted = msgspec.structs.replace(streams, audio=[late])
    assert verify.unsynchronised_starts(streams, frame_rate="25/1") == []
    assert "more than a frame" in verify.unsynchronised_starts(shifted, frame_rate="25/1")[0]


async def test_a_rendition_off_the_grid_is_refused(tmp_path: Path) -> None:
    rate = Fraction(25)
    path = tmp_path / "off.mp4"
    await ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=19", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-g", "70", "-keyint_min", "70", "-sc_threshold", "0", path),
    )
    with pytest.raises(ProcessFailed, match=r"not on the (segment|GOP) grid|lasts"):
        await package(a_plan(rate, 475), [(a_rung(), path)], list[EncodedAudio](), tmp_path / "out")


async def test_the_ladder_is_drawn_for_one_rung_and_for_many(title: Title) -> None:
    _, streams, _ = title
    rungs = [a_rung("90p", 160, 90), a_rung("180p", 320, 180)]
    scored = QualityScore(
        rung="180p", vmaf_mean=93.2, vmaf_min=80, frames_scored=20, segments_scored=1, cpu_seconds=1.0
    )
    for video, quality in ((streams.video, [scored]), (streams.video[:1], [])):
        drawn = ladder_png(video, rungs, quality)
        assert drawn.startswith(b"\x89PNG")
        assert len(drawn) < 150_000
