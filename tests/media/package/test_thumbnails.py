"""Thumbnails reach other people's players: sheets of one size on an even grid of time, named by both manifests."""

import itertools
import math
import xml.etree.ElementTree as ET
from fractions import Fraction

import m3u8
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import Thumbnails, keys
from marquee.media.package import verify
from marquee.media.package.dash_schema import NAMESPACE
from marquee.media.package.manifest import master_playlist, mpd
from marquee.media.package.playlists import thumbnail_playlist
from marquee.media.pictures.images import sheets
from marquee.media.pictures.thumbnails import SHEET_TILES, on_grid, sheet_grid
from tests.harness.media.packaging import Title, a_plan, published


@given(tiles=st.integers(1, 1000))
def test_every_tile_has_a_place_and_a_single_sheet_is_no_larger_than_needed(tiles: int) -> None:
    columns, rows = sheet_grid(tiles)
    assert columns * rows >= min(tiles, SHEET_TILES)
    if tiles <= SHEET_TILES:
        assert columns * (rows - 1) < tiles
    else:
        assert (columns, rows) == (10, 10)


@given(gop=st.floats(0.2, 4.0), every=st.sampled_from([2.0, 4.0, 10.0]), duration=st.floats(0.04, 400))
def test_each_interval_shows_a_frame_of_it_or_the_one_before(gop: float, every: float, duration: float) -> None:
    """Below 2 frames a second, key frames are further apart than tiles."""
    moments = list(itertools.takewhile(lambda at: at < duration, itertools.count(0.0, gop)))
    first_of_interval: dict[int, float] = {}
    for at in moments:
        first_of_interval.setdefault(int((at + 0.05) // every), at)
    times = list(first_of_interval.values())
    shown = on_grid(times, every, duration)
    assert len(shown) == max(1, math.ceil(duration / every - 1e-6))
    for interval, frame in enumerate(shown):
        assert times[frame] < (interval + 1) * every
        assert all(other <= times[frame] or other + 0.05 >= (interval + 1) * every for other in times)


def test_sheets_have_one_size() -> None:
    """Players place tiles by the size that the manifest tells: a shorter last sheet would be stretched."""
    frames = np.zeros((SHEET_TILES + 3, 4, 6, 3), dtype=np.uint8)
    frames[SHEET_TILES + 2] = 255
    first, second = sheets(frames)
    assert first.shape == second.shape == (40, 60, 3)
    assert second[:4, 12:18].min() == 255, "the third tile is the third of the first row"


def test_both_manifests_name_the_sheets(title: Title, thumbnails: Thumbnails) -> None:
    out, _, _ = title
    assert (thumbnails.columns, thumbnails.rows) == (10, 1), "19 s are ten tiles of 2 s"
    master = m3u8.loads((out / keys.MASTER_PLAYLIST).read_text())
    (image,) = master.image_playlists
    assert image.uri == thumbnails.playlist
    text = (out / image.uri).read_text()
    assert "#EXT-X-IMAGES-ONLY" in text
    assert "#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=10x1,DURATION=2\n#EXTINF:19.000000,\nsheet_00001.jpg" in text
    root = ET.fromstring((out / keys.MPD).read_text())
    (found,) = [one for one in root.iter(f"{NAMESPACE}AdaptationSet") if one.get("contentType") == "image"]
    (representation,) = found
    described, template = representation
    assert (representation.get("width"), representation.get("height")) == ("1600", "90")
    assert (described.get("schemeIdUri"), described.get("value")) == (
        "http://dashif.org/guidelines/thumbnail_tile",
        "10x1",
    )
    assert template.get("media") == "thumbnails/sheet_$Number%05d$.jpg"
    assert (template.get("timescale"), template.get("duration")) == ("1000", "20000")
    assert root.get("maxSegmentDuration") == "PT20.000000S"


@pytest.mark.parametrize("changed", ["thumbnails/sheet_00001.jpg", "thumbnails/index.m3u8"])
def test_a_missing_sheet_is_a_finding(title: Title, thumbnails: Thumbnails, changed: str) -> None:
    out, streams, texts = title
    written, sizes = published(out)
    sizes.pop(changed)
    written.pop(changed, None)
    findings = verify.title_findings(
        a_plan(Fraction(25), 475), streams, texts, texts=written, sizes=sizes, thumbnails=thumbnails
    )
    assert any(changed in one for one in findings), findings


def test_the_last_sheet_is_as_long_as_the_film_lasts(title: Title, thumbnails: Thumbnails) -> None:
    """A sheet of a film of 1,240 s covers 1,000 s; the last one has the 240 s that are left."""
    _, streams, texts = title
    several = msgspec.structs.replace(
        thumbnails,
        columns=10,
        rows=10,
        tile_seconds=10.0,
        sheets=["thumbnails/sheet_00001.jpg", "thumbnails/sheet_00002.jpg"],
        sheet_seconds=[1000.0, 240.0],
        sheet_bytes=[300_000, 90_000],
    )
    playlist = m3u8.loads(thumbnail_playlist(several))
    assert [one.duration for one in playlist.segments] == [1000.0, 240.0]
    assert 'duration="1000000"' in mpd(streams, texts, several)
    assert "BANDWIDTH=2516,RESOLUTION=160x90" in master_playlist(streams, texts, several)


def test_a_title_of_an_earlier_release_names_none(title: Title) -> None:
    _, streams, texts = title
    assert "thumbnail" not in mpd(streams, texts)
    assert "IMAGE" not in master_playlist(streams, texts)
