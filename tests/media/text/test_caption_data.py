"""Caption bytes of a hostile film cost no more than its size: lengths lie, marks repeat, packets never begin."""

import pytest

from marquee.media.text import caption_data
from marquee.media.text.caption_data import CaptionData, CaptionsUnreadable

MARK = b"\xb5\x00\x31GA94\x03"


def test_a_picture_full_of_marks_is_read_once() -> None:
    # Each mark was given the rest of the picture: 2 MB took 200 GB of copies, which the run's own time limit tells.
    data = CaptionData()
    data.add_picture(1.0, MARK * 250_000 + b"\x41\xff\xfc\x94\x2c")
    assert [(one.first, one.second) for one in data.pairs] == [(0x94, 0x2C)]


def test_cea708_that_never_begins_a_packet_is_read_in_linear_time() -> None:
    data = CaptionData()
    data.add_triplets(1.0, b"\xfe\x00\x00" * 200_000)
    assert not data.has_cea708


def test_captions_with_more_pairs_than_any_film_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caption_data, "MAX_PAIRS", 100)
    data = CaptionData()
    data.add_triplets(1.0, b"\xfc\xc1\xc1" * 100)
    data.add_triplets(2.0, b"\xfc\x80\x80" * 100)
    assert len(data.pairs) == 100
    with pytest.raises(CaptionsUnreadable, match="more than 100 pairs"):
        data.add_triplets(3.0, b"\xfc\xc1\xc1")
