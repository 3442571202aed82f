"""Media playlists: exact durations, target durations by the standard, and every IDR with its bytes in the I-frame playlist."""

import itertools
import math

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.package.package_reader import peak_bps
from marquee.media.package.playlists import media_playlist, target_duration
from marquee.media.programs import binaries, process
from tests.harness.media.packaging import Title


def test_peak_rate_is_rfc_8216s() -> None:
    assert peak_bps([6, 6, 6], [600, 1200, 600]) == 1600, "the largest segment"
    assert peak_bps([6, 6, 0.1], [600, 600, 500]) == round(8 * 1100 / 6.1), (
        "a short last segment counts only with its neighbour"
    )
    assert peak_bps([1.5], [300]) == 1600
    # EXT-X-TARGETDURATION of 6.006 s is 6: a run of 3.4 s counts. With 7, it would not.
    assert peak_bps([6.006, 3.4, 0.6], [600, 1000, 10]) == round(8 * 1000 / 3.4)


@pytest.mark.parametrize(
    ("seconds", "target"), [([6.006], 6), ([6.5], 7), ([6.499], 6), ([5.99, 6.016], 6), ([0.1], 1), ([7.5, 2], 8)]
)
def test_target_duration_is_the_longest_rounded_to_the_nearest_second(seconds: list[float], target: int) -> None:
    assert target_duration(seconds) == target


@given(seconds=st.lists(st.floats(0.01, 20), min_size=1, max_size=50))
def test_playlists_add_up_and_fit_their_target_duration(seconds: list[float]) -> None:
    names = [f"video/540p/seg_{number:05d}.m4s" for number in range(1, len(seconds) + 1)]
    playlist = m3u8.loads(media_playlist(names, seconds, target_duration(seconds)))
    assert [one.uri for one in playlist.segments] == [name.rsplit("/", 1)[1] for name in names]
    assert all(math.floor(one.duration + 0.5) <= playlist.target_duration for one in playlist.segments)
    assert sum(one.duration for one in playlist.segments) == pytest.approx(sum(seconds), abs=1e-6 * len(seconds))


async def test_iframe_playlists_list_every_idr_with_its_bytes(title: Title) -> None:
    """Each byte range is a `moof` box and the media data up to the I-frame's last byte: alone, it decodes to that frame."""
    out, streams, _ = title
    for one in streams.video:
        init = (out / one.init_segment).read_bytes()
        track = out / "whole.mp4"
        track.write_bytes(init + b"".join((out / name).read_bytes() for name in one.segments))
        # The packets of the joined track, with their places in it.
        sizes = [len(init), *((out / name).stat().st_size for name in one.segments)]
        begins = dict(zip(one.segments, itertools.accumulate(sizes), strict=False))
        probed = await process.run(
            [
                *(binaries.ffprobe(), "-v", "error", "-show_entries", "packet=pts_time,size,pos,flags"),
                *("-of", "csv=p=0", track),
            ],
            timeout_seconds=60,
        )
        track.unlink()
        packets = [line.split(",") for line in probed.stdout.decode().split()]
        keys_of_track = [(float(time), int(pos) + int(size)) for time, size, pos, flags, *_ in packets if "K" in flags]
        playlist = m3u8.loads((out / (one.iframe_playlist or "")).read_text())
        assert playlist.is_i_frames_only
        assert len(playlist.segments) == one.key_frames == len(keys_of_track) == 10, (
            "one a GOP: 475 frames in GOPs of 50"
        )
        start, bits = 0.0, []
        for listed, (time, end) in zip(playlist.segments, keys_of_track, strict=True):
            size, _, offset = listed.byterange.partition("@")
            name = f"video/{one.name}/{listed.uri}"
            assert begins[name] + int(offset) + int(size) == end, "the range ends with the I-frame's last byte"
            cut = (out / name).read_bytes()[int(offset) : int(offset) + int(size)]
            assert cut[4:8] == b"moof"
            assert time == pytest.approx(start, abs=1e-5)
            start += listed.duration
            bits.append(8 * int(size) / listed.duration)
            alone = await process.run(
                [binaries.ffmpeg(), "-v", "error", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
                timeout_seconds=60,
                input=init + cut,
            )
            assert len(alone.stdout) >= (one.width or 0) * (one.height or 0), "the range does not decode"
        assert start == pytest.approx(19.0)
        assert one.iframe_bandwidth == pytest.approx(max(bits), rel=1e-3)
        assert (one.iframe_average_bps or 0) < (one.iframe_bandwidth or 0) < one.peak_bps
