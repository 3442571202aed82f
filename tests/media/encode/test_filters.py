"""The filter chain of each kind of picture, and what it makes of real pictures."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import VideoStream
from marquee.media.encode.filter_text import Filter, chunk_chain, parse, render
from marquee.media.encode.filters import colour_name, output_matrix, picture_chain

WORDS = st.text("abcdefgh0123456789/-()", min_size=1, max_size=8)


def video(**changed: object) -> VideoStream:
    known: dict[str, object] = {"width": 1920, "height": 1080, "display_width": 1920, "display_height": 1080}
    return VideoStream(index=0, codec="h264", **{**known, **changed})  # type: ignore[arg-type]


def names(**changed: object) -> list[str]:
    return [one.name for one in parse(picture_chain(video(**changed), Fraction(25), 1280, 720))]


@given(chain=st.lists(st.builds(Filter, WORDS, st.dictionaries(WORDS, WORDS, max_size=3)), min_size=1, max_size=5))
def test_a_chain_is_read_back_as_it_was_written(chain: list[Filter]) -> None:
    assert parse(render(chain)) == chain


def test_a_plain_picture_is_only_put_on_the_grid_and_scaled() -> None:
    assert names() == ["setpts", "fps", "tpad", "trim", "setpts", "scale", "format", "setsar", "setparams"]


def test_each_trait_has_its_filter() -> None:
    assert names(interlaced=True)[1] == "bwdif"
    assert [name for name in names(rotation=180) if name.endswith("flip")] == ["hflip", "vflip"]
    assert "hflip" in names(mirrored=True)
    assert names(rotation=180, mirrored=True).count("vflip") == 1
    assert "tonemap" in names(color_transfer="smpte2084", color_space="bt2020nc", bit_depth=10)
    assert "tonemap" in names(color_transfer="arib-std-b67", color_space="bt2020nc", bit_depth=10)
    assert "zscale" in names(color_space="bt2020nc")
    full = picture_chain(video(color_range="pc"), Fraction(25), 1280, 720)
    assert "in_range=pc:out_range=tv" in full


def test_the_chunk_is_cut_after_the_grid() -> None:
    text = picture_chain(video(start_seconds=0.021), Fraction(30000, 1001), 1280, 720)
    chain = chunk_chain(text, 180, 540)
    assert Filter("setpts", {"expr": "PTS-round(0.021/TB)"}) in chain
    assert Filter("trim", {"start_pts": "180", "end_pts": "720"}) in chain
    assert Filter("fps", {"fps": "30000/1001", "round": "near", "eof_action": "pass"}) in chain


@pytest.mark.parametrize(
    ("stream", "matrix"),
    [
        (video(), "bt709"),
        (video(width=720, height=576), "bt470bg"),
        (video(width=720, height=480), "smpte170m"),
        (video(color_space="smpte170m"), "smpte170m"),
        (video(color_space="bt2020nc", color_transfer="smpte2084"), "bt709"),
        (video(color_space="ycgco"), "bt709"),
        (video(width=1920, height=400), "bt709"),
    ],
)
def test_renditions_say_what_their_colours_are(stream: VideoStream, matrix: str) -> None:
    assert output_matrix(stream) == matrix


def test_only_known_colour_names_reach_a_command() -> None:
    assert colour_name("bt709") == "bt709"
    assert colour_name("arib-std-b67") == "arib-std-b67"
    assert colour_name("unknown") is None
    assert colour_name("x,movie=/etc/passwd") is None
